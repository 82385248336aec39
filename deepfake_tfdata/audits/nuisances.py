"""Whether something that is no manipulation predicts the label: a test for shortcuts.

A logistic regression of the label on the nuisance, cross-validated over independent units, so that what is
scored was never trained on. It is a shortcut where the lower end of the AUC's interval over units is above
MIN_AUC, and labels permuted within units never reach the AUC (P. Good, Permutation, Parametric and
Bootstrap Tests of Hypotheses, 2005, section 3.2; p as in B. Phipson and G. K. Smyth, Statistical
Applications in Genetics and Molecular Biology 9, 2010). A small p alone is no shortcut: with enough videos
every difference has one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.audits.logistic import log_odds
from deepfake_tfdata.evaluation.clusters import separate_clusters
from deepfake_tfdata.evaluation.intervals import auc
from deepfake_tfdata.evaluation.mrmc import RunScores, method_auc, run_aucs

MIN_AUC = 0.6
MAX_P = 0.001
# Of fewer units not even a perfect AUC has an interval above MIN_AUC.
MIN_UNITS = 7
_FOLDS = 5
_PERMUTATIONS, _AT_ONCE = 999, 111
_CATEGORIES = 12

# The name of the test of several nuisances at once.
TOGETHER = "all together"

Value = float | str | None


@dataclass(frozen=True)
class NuisanceTest:
    """How well a nuisance, or several together, predicts the label.

    Attributes:
        name: of it; 'all together' of several.
        auc: out of fold.
        low, high: its 95 % interval, over units.
        p: of permuted labels; None where the interval already says that it is no shortcut.
        typical: by class, the median, or the most frequent value where it is no number.
    """

    name: str
    auc: float
    low: float
    high: float
    p: float | None
    typical: Sequence[Value] = ()

    @property
    def is_shortcut(self) -> bool:
        """Whether it predicts the label well enough for a detector to learn it instead."""
        return self.low > MIN_AUC and self.p is not None and self.p <= MAX_P


def can_test(labels: np.ndarray, units: np.ndarray) -> bool:
    """Whether both classes have enough independent units: int [N] of 0 and 1, [N]."""
    return min(separate_clusters(units).counts(labels)) >= MIN_UNITS


def measure_nuisances(
    labels: np.ndarray, units: np.ndarray, nuisances: Mapping[str, Sequence[Value]], seed: int = 0
) -> list[NuisanceTest]:
    """Each nuisance by itself, and all together where none alone is a shortcut; constant ones are left out.

    Args:
        labels: int [N], 0 real and 1 fake.
        units: [N], what is independent of what: the component of each video's identities.
        nuisances: by name, a value a video: numbers, or texts, or None where it is unknown.
        seed: of folds and permutations.
    """
    columns = {name: encode(values) for name, values in nuisances.items()}
    columns = {name: found for name, found in columns.items() if found.shape[1]}
    videos = _Videos(labels, units, _folds(labels, units, seed), seed)
    results = [
        _test(name, videos, found, typical(labels, nuisances[name])) for name, found in columns.items()
    ]
    if len(columns) > 1 and not any(result.is_shortcut for result in results):
        results.append(_test(TOGETHER, videos, np.hstack(list(columns.values()))))
    return results


def encode(values: Sequence[Value]) -> np.ndarray:
    """A nuisance as columns of a regression, float [N, K]; none where it is the same everywhere.

    Of numbers, the rank from -1 to 1, which no outlier stretches, and its square, so that a class in the
    middle is seen; of texts a column for each frequent one. What is unknown has the middle rank and a column
    of its own.
    """
    missing = np.array([value is None for value in values])
    if any(isinstance(value, str) for value in values):
        texts = np.array(["" if value is None else str(value) for value in values])
        columns = [texts == text for text, _ in Counter(texts.tolist()).most_common(_CATEGORIES)]
    else:
        ranks = np.zeros(len(missing))
        ranks[~missing] = _ranks(np.array([value for value in values if value is not None], float))
        columns = [ranks, ranks**2, missing]
    found = np.column_stack(columns).astype(float)
    return found[:, np.ptp(found, axis=0) > 0]


def typical(labels: np.ndarray, values: Sequence[Value]) -> list[Value]:
    """Of each class the median, or the most frequent text; None where nothing is known."""
    found: list[Value] = []
    for label in (0, 1):
        known = [v for v, own in zip(values, labels, strict=True) if own == label and v is not None]
        if not known:
            found.append(None)
        elif any(isinstance(value, str) for value in known):
            found.append(Counter(known).most_common(1)[0][0])
        else:
            found.append(float(f"{np.median(np.array(known, float)):.4g}"))
    return found


def permute_within_units(labels: np.ndarray, units: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The labels, shuffled within the units that have both; whole units of one class change places."""
    permuted = labels.copy()
    _, index = np.unique(units, return_inverse=True)
    number = index.max() + 1
    fakes = np.bincount(index, labels, number)
    sizes = np.bincount(index, minlength=number)
    pure = (fakes == 0) | (fakes == sizes)
    of_unit = fakes > 0
    of_unit[pure] = random.permutation(of_unit[pure])
    within = random.permutation(len(labels))  # a random order, sorted by unit: each unit's members shuffled
    to = np.argsort(index, kind="stable")
    order = within[np.argsort(index[within], kind="stable")]
    permuted[to] = labels[order]
    return np.where(pure[index], of_unit[index], permuted).astype(labels.dtype)


@dataclass(frozen=True)
class _Videos:
    """What all nuisances are tested on.

    Attributes:
        labels, units: [N].
        folds: positions to train on, and those to score. They are the same for permuted labels: to make them
            takes longer than the regressions.
        seed: of permutations.
    """

    labels: np.ndarray
    units: np.ndarray
    folds: Sequence[tuple[np.ndarray, np.ndarray]]
    seed: int


def _folds(labels: np.ndarray, units: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    # Imported here: it takes as long as everything else that --help imports.
    from sklearn.model_selection import StratifiedGroupKFold

    number = min(_FOLDS, *separate_clusters(units).counts(labels))
    folds = StratifiedGroupKFold(number, shuffle=True, random_state=seed)
    return list(folds.split(np.zeros((len(labels), 1)), labels, units))


def _test(name: str, videos: _Videos, columns: np.ndarray, values: Sequence[Value] = ()) -> NuisanceTest:
    (scores,) = _out_of_fold(videos.labels[None], columns, videos.folds)
    runs = RunScores(videos.labels, scores[None], separate_clusters(videos.units))
    estimate = method_auc(run_aucs(runs))
    interval = estimate.interval()
    p = _p_value(estimate.value, videos, columns) if interval.low > MIN_AUC else None
    return NuisanceTest(name, estimate.value, interval.low, interval.high, p, values)


def _p_value(seen: float, videos: _Videos, columns: np.ndarray) -> float:
    """(b + 1) / (B + 1) of the B permutations of which b have the AUC that was seen, or a higher one.

    Once one of them has, p is above MAX_P, and the rest is not tried.
    """
    random = np.random.default_rng(videos.seed)
    as_high = done = 0
    while done < _PERMUTATIONS and not as_high:
        permuted = [permute_within_units(videos.labels, videos.units, random) for _ in range(_AT_ONCE)]
        scores = _out_of_fold(np.stack(permuted), columns, videos.folds)
        as_high = sum(auc(own, found) >= seen for own, found in zip(permuted, scores, strict=True))
        done += _AT_ONCE
    return (as_high + 1) / (done + 1)


def _out_of_fold(
    labels: np.ndarray, columns: np.ndarray, folds: Sequence[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Log odds of a fake by labels [P, N], float [P, N]; no regression saw a video of the unit it scores."""
    scores = np.zeros(labels.shape)
    for train, held in folds:
        scores[:, held] = log_odds(columns[train], labels[:, train], columns[held])
    return scores


def _ranks(values: np.ndarray) -> np.ndarray:
    """From -1 to 1, equal for equal values."""
    from scipy.stats import rankdata

    return (2 * rankdata(values) - 1) / max(1, len(values)) - 1
