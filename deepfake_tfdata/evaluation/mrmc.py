"""The AUC of methods that were trained several times, and the difference of two: Obuchowski-Rockette-Hillis.

Radiology asks the same of machines that several readers use on the same patients (multi-reader multi-case
studies). Here a method is the machine, a training run with its seed the reader, and the cases are clusters of
videos. The result is about the method on new videos and with new seeds; see

    N. A. Obuchowski and H. E. Rockette, Communications in Statistics - Simulation and Computation 24 (1995),
    S. L. Hillis, A comparison of denominator degrees of freedom methods for multiple observer ROC analysis,
        Statistics in Medicine 26 (2007),
    N. A. Obuchowski, Nonparametric analysis of clustered ROC curve data, Biometrics 53 (1997): covariances,
    E. R. DeLong et al., Biometrics 44 (1988): structural components.

Two additions of ours, for few videos. The degrees of freedom never exceed those of the clusters of the class
that has fewer, of which the covariances are estimates; where one holds many videos, of as many of one size as
they are worth. And where fewer errors were seen than one cluster can make, an AUC's variance has a floor: at
a perfect score, where the formula gives zero, it is that of one cluster, 1 / C^2 of the C clusters of the
class that has fewer, and the interval reaches as far down as Newcombe's does (Statistics in Medicine 25,
2006), which never collapses. What the floor adds to an AUC is added to a difference, so that the two never
contradict each other.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr, stdtrit  # scipy.stats takes a second to import

from deepfake_tfdata.evaluation.clusters import Clusters
from deepfake_tfdata.evaluation.intervals import CONFIDENCE_LEVEL, Interval, weighted_auc

POWER = 0.8
_LARGEST_VARIANCE = 0.25  # of anything between 0 and 1
# Of the covariances that have no formula: their standard error is a twentieth of them.
_RESAMPLES = 1000


@dataclass(frozen=True)
class Estimate:
    """A figure and how well it is known.

    Attributes:
        value: an AUC or a difference of two.
        se: its standard error.
        df: degrees of freedom of the standard error.
        least: that it can be: 0, or -1 of a difference. The most is 1.
    """

    value: float
    se: float
    df: float
    least: float = 0.0

    def interval(self, level: float = CONFIDENCE_LEVEL) -> Interval:
        """Its confidence interval, by Student's t; not beyond what a figure of its kind can be."""
        half = float(stdtrit(self.df, (1 + level) / 2)) * self.se
        return Interval(max(self.value - half, self.least), min(self.value + half, 1.0))

    @property
    def p(self) -> float:
        """Of the hypothesis that it is zero, two-sided."""
        if self.se == 0:
            return 0.0 if self.value else 1.0
        return float(2 * stdtr(self.df, -abs(self.value) / self.se))

    @property
    def smallest_detectable(self) -> float:
        """The true value that would be told from zero at 5 % in 80 % of such studies."""
        return float(stdtrit(self.df, (1 + CONFIDENCE_LEVEL) / 2) + stdtrit(self.df, POWER)) * self.se


@dataclass(frozen=True, eq=False)
class RunScores:
    """What K training runs said of the same N videos.

    Attributes:
        labels: int [N], 0 or 1.
        scores: float [K, N].
        clusters: of the videos.
        folds: [N], of a cross-validation: a run's AUC is then the mean over the folds, each of which was
            scored by a detector of its own. None without one.
    """

    labels: np.ndarray
    scores: np.ndarray
    clusters: Clusters
    folds: np.ndarray | None = None

    @property
    def rows_of_folds(self) -> list[np.ndarray]:
        """The positions of each fold's videos; one array of all where there are no folds."""
        if self.folds is None:
            return [np.arange(len(self.labels))]
        return [np.flatnonzero(self.folds == fold) for fold in np.unique(self.folds)]


@dataclass(frozen=True, eq=False)
class RunAucs:
    """The AUCs of K runs on the same videos.

    Attributes:
        values: float64 [K].
        covariance: float64 [K, K], over draws of videos.
        num_clusters: independent units among the videos.
        fewest: units of one size that the class with fewer is worth.
    """

    values: np.ndarray
    covariance: np.ndarray
    num_clusters: int
    fewest: float

    @property
    def most_df(self) -> float:
        """Degrees of freedom of what is estimated of the clusters."""
        return max(1.0, self.fewest - 1)

    def of(self, runs: slice) -> "RunAucs":
        """Some of the runs."""
        return replace(self, values=self.values[runs], covariance=self.covariance[runs, runs])


def run_aucs(runs: RunScores) -> RunAucs:
    """The AUC of every run, and how they vary together from one draw of videos to the next.

    Args:
        runs: each fold of which has real and fake videos.
    """
    folds = runs.rows_of_folds
    values = np.zeros(len(runs.scores))
    influence = np.zeros(runs.scores.shape)
    for rows in folds:
        of_fold, parts = _influence(runs.labels[rows], runs.scores[:, rows])
        values += of_fold / len(folds)
        influence[:, rows] = parts / len(folds)
    clusters = runs.clusters
    covariance = (
        _clustered_covariance(influence, clusters.members[0], clusters.count)
        if clusters.separate
        else _resampled_covariance(runs, folds)
    )
    return RunAucs(values, covariance, clusters.count, clusters.effective_count(runs.labels))


def method_auc(aucs: RunAucs) -> Estimate:
    """The AUC of the method whose runs these are; of a single run, that run's."""
    variance, df = _variance(aucs)
    value = float(np.mean(aucs.values))
    return Estimate(value, max(variance, _floor(value, aucs.fewest)) ** 0.5, df)


def method_difference(aucs: RunAucs) -> Estimate:
    """How much higher the AUC of the first method, whose runs are the first half, is than the second's.

    A single run of each compares two trained models: how methods vary with the seed is not in it.
    """
    seeds = len(aucs.values) // 2
    methods = aucs.of(slice(seeds)), aucs.of(slice(seeds, None))
    change = methods[0].values - methods[1].values
    between = aucs.covariance[:seeds, seeds:]
    if seeds == 1:
        contrast = np.array([1.0, -1.0])
        variance, df = float(contrast @ aucs.covariance @ contrast), aucs.most_df
    else:
        # The mean square of methods by seeds: how much the difference varies from seed to seed.
        mean_square = float(np.var(change, ddof=1)) / 2
        within = sum(_mean_covariance(method.covariance) for method in methods) / 2
        denominator = mean_square + seeds * max(within - _mean_covariance(between), 0.0)
        variance, df = 2 * denominator / seeds, _degrees(denominator, mean_square, seeds, aucs.most_df)
    for method in methods:
        floor = _floor(float(np.mean(method.values)), aucs.fewest)
        variance += max(floor - _variance(method)[0], 0.0)
    return Estimate(float(np.mean(change)), max(variance, 0.0) ** 0.5, df, least=-1.0)


def _variance(aucs: RunAucs) -> tuple[float, float]:
    """Of a method's AUC, as the formula has it, and its degrees of freedom."""
    seeds = len(aucs.values)
    if seeds == 1:
        return float(aucs.covariance[0, 0]), aucs.most_df
    between_seeds = float(np.var(aucs.values, ddof=1))
    total = between_seeds + seeds * max(_mean_covariance(aucs.covariance), 0.0)
    return total / seeds, _degrees(total, between_seeds, seeds, aucs.most_df)


def _floor(auc: float, clusters: float) -> float:
    """The least variance of an AUC; zero from the errors of one cluster on, unless there is but one."""
    if clusters <= 1:
        return _LARGEST_VARIANCE
    return max(1 - clusters * min(auc, 1 - auc), 0.0) / clusters**2


def holm(p_values: list[float]) -> list[float]:
    """The p values of several hypotheses, adjusted so that one true one is rejected with 5 % at most.

    S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6
    (1979).
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(np.argsort(p_values)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def _degrees(total: float, mean_square: float, seeds: int, most: float) -> float:
    """Hillis' degrees of freedom, and no more than there can be."""
    return min(most, total**2 * (seeds - 1) / mean_square**2) if mean_square else most


def _mean_covariance(block: np.ndarray) -> float:
    """The mean over pairs of different seeds, of a block [J, J]."""
    return float(np.mean(block[~np.eye(len(block), dtype=bool)]))


def _influence(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUCs [K], and how much each video moves them [K, N]: its share of the structural components."""
    is_fake = labels == 1
    num_fake, num_real = int(is_fake.sum()), int((~is_fake).sum())
    values, influence = np.zeros(len(scores)), np.zeros(scores.shape)
    for run, own in enumerate(scores):
        above_reals = _share_below(own[is_fake], own[~is_fake])
        below_fakes = _share_below(-own[~is_fake], -own[is_fake])
        values[run] = above_reals.mean()
        influence[run, is_fake] = (above_reals - values[run]) / num_fake
        influence[run, ~is_fake] = (below_fakes - values[run]) / num_real
    return values, influence


def _share_below(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of each score, the share of others that are below it, a tie counting one half."""
    others = np.sort(others)
    below, not_above = (np.searchsorted(others, scores, side) for side in ("left", "right"))
    return (below + not_above) / (2 * len(others))


def _clustered_covariance(influence: np.ndarray, cluster: np.ndarray, count: int) -> np.ndarray:
    """Covariance [K, K] of the sums over clusters."""
    sums = np.stack([np.bincount(cluster, own, count) for own in influence])
    return sums @ sums.T * (count / max(1, count - 1))


def _resampled_covariance(runs: RunScores, folds: list[np.ndarray]) -> np.ndarray:
    """The same where videos share units in more than one way: over weights of the units."""
    weights = runs.clusters.draw(np.random.default_rng(0), _RESAMPLES)
    drawn = [
        np.mean([weighted_auc(runs.labels[rows], own[rows], weights[:, rows]) for rows in folds], axis=0)
        for own in runs.scores
    ]
    return np.atleast_2d(np.cov(drawn))
