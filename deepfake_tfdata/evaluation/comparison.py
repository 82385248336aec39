"""Whether one method is better than another, from scores of the same videos by several runs of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.clusters import joined
from deepfake_tfdata.evaluation.intervals import CONFIDENCE_LEVEL
from deepfake_tfdata.evaluation.mrmc import Estimate, RunScores, method_auc, method_difference, run_aucs
from deepfake_tfdata.evaluation.options import ComparisonOptions
from deepfake_tfdata.evaluation.predictions import UNKNOWN_METHOD, Predictions, per_video

VERDICTS = ("better", "worse", "equivalent", "inconclusive")
# Two one-sided tests at 5 % each: D. J. Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15 (1987).
_EQUIVALENCE_LEVEL = 0.9
_MAY_AGREE = 2


class NothingSharedError(UserError):
    """Two detectors were not scored on the same real and fake videos."""


@dataclass(frozen=True)
class Comparison:
    """How much higher the first method's AUC is than the second's, over the videos that all runs scored.

    Attributes:
        difference: its estimate; its p value is the one the verdict goes by.
        first, second: each method's AUC, the mean over its runs.
        first_runs, second_runs: the AUC of every run.
        p: of no difference; adjusted where it is one of several comparisons.
        margin: within which two methods count as equivalent.
        verdict: one of VERDICTS, of the first method.
        num_videos: that all runs scored.
        num_left_out: which some did and others did not.
        num_clusters: independent units among them.
        by_identity: whether these are identities, because fakes join nearly all of them.
    """

    difference: Estimate
    first: Estimate
    second: Estimate
    first_runs: tuple[float, ...]
    second_runs: tuple[float, ...]
    p: float
    margin: float
    verdict: str
    num_videos: int
    num_left_out: int
    num_clusters: int
    by_identity: bool

    @property
    def seeds(self) -> int:
        """Runs of each method."""
        return len(self.first_runs)

    @property
    def notes(self) -> list[str]:
        """What a reader must know of it, in plain words."""
        notes = []
        if self.seeds == 1:
            notes.append(
                "one run each: these are two models, not two methods; how much a method varies from seed "
                "to seed is not in the interval, and another pair of runs may well differ the other way"
            )
        if self.by_identity:
            notes.append("fakes join nearly all identities into one group: identities were resampled instead")
        notes += left_out_notes(self.num_left_out)
        headroom = 1 - self.second.value
        if self.verdict == "inconclusive" and self.difference.smallest_detectable > headroom:
            notes.append(
                f"only {headroom:.3f} is left above the second's AUC, less than the smallest difference "
                "that this study could show: harder data or more videos would tell more"
            )
        return notes

    def adjusted(self, p: float, comparisons: int) -> "Comparison":
        """The same as one of several comparisons.

        Args:
            p: that takes the others into account.
            comparisons: how many there are; each may call two methods equivalent with its share of the risk.
        """
        return replace(self, p=p, verdict=verdict_of(self.difference, p, self.margin, comparisons))


def compare(
    first: Sequence[Predictions], second: Sequence[Predictions], margin: float = ComparisonOptions.margin
) -> Comparison:
    """Compares two methods by the runs of each, of which the seeds are a sample.

    Args:
        first: a prediction of clips for each run of one method.
        second: as many of the other.
        margin: within which their difference would not matter.

    Raises:
        NothingSharedError: the runs share no real or no fake video.
        UserError: the methods have different numbers of runs, two runs of one have the same scores, or runs
            disagree on a video's label.
    """
    if len(first) != len(second):
        raise UserError(
            f"the first has {len(first)} run(s) and the second {len(second)}; give as many of each, a seed "
            "a run"
        )
    videos = shared_videos([*first, *second])
    for runs in (videos[: len(first)], videos[len(first) :]):
        _refuse_copies(runs)
    scores = run_scores(videos)
    aucs = run_aucs(scores)
    of_first, of_second = aucs.of(slice(len(first))), aucs.of(slice(len(first), None))
    difference = method_difference(aucs)
    return Comparison(
        difference=difference,
        first=method_auc(of_first),
        second=method_auc(of_second),
        first_runs=tuple(of_first.values.tolist()),
        second_runs=tuple(of_second.values.tolist()),
        p=difference.p,
        margin=margin,
        verdict=verdict_of(difference, difference.p, margin),
        num_videos=len(scores.labels),
        num_left_out=num_left_out([*first, *second]),
        num_clusters=aucs.num_clusters,
        by_identity=not scores.clusters.separate,
    )


def verdict_of(difference: Estimate, p: float, margin: float, comparisons: int = 1) -> str:
    """One of VERDICTS: whether the difference is told from zero, or else lies within the margin for certain.

    Args:
        difference: of the first method's AUC from the second's.
        p: of no difference.
        margin: of equivalence.
        comparisons: of which this is one.
    """
    if p < 1 - CONFIDENCE_LEVEL:
        return "better" if difference.value > 0 else "worse"
    low, high = difference.interval(1 - (1 - _EQUIVALENCE_LEVEL) / comparisons)
    return "equivalent" if -margin <= low and high <= margin else "inconclusive"


def shared_videos(runs: Sequence[Predictions]) -> list[Predictions]:
    """The videos that all runs scored, one row each, in one order and of the same components.

    Raises:
        NothingSharedError: they share no real or no fake video, of a fold even.
        UserError: they disagree on a video's label or fold.
    """
    videos = _named_alike([per_video(run) for run in runs])
    keys = videos[0].video_keys
    for others in videos[1:]:
        keys = np.intersect1d(keys, others.video_keys)
    selected = []
    for run in videos:
        order = np.argsort(run.video_keys)
        selected.append(run.select(order[np.searchsorted(run.video_keys[order], keys)]) if len(keys) else run)
    if not len(keys) or len(set(selected[0].labels.tolist())) < 2:
        raise NothingSharedError(
            "the detectors share no real or no fake video; evaluate both on the same split"
        )
    _refuse_contradictions(selected)
    # A table without sources has every video as its own; another one may know what belongs together.
    components = joined([run.components for run in selected])
    knows = max(selected, key=lambda run: np.sum(run.source_ids != ""))
    return [
        replace(run, components=components, target_ids=knows.target_ids, source_ids=knows.source_ids)
        for run in selected
    ]


def num_left_out(runs: Sequence[Predictions]) -> int:
    """How many videos some of the runs scored and others did not."""
    keys = [set(run.video_keys.tolist()) for run in _named_alike([per_video(run) for run in runs])]
    return len(set.union(*keys) - set.intersection(*keys))


def left_out_notes(count: int) -> list[str]:
    """What a reader must know where so many videos were left out; nothing where none was."""
    if not count:
        return []
    return [
        f"{count} video(s) that not all runs scored are left out: a method may have failed on the hard ones"
    ]


def _named_alike(runs: Sequence[Predictions]) -> Sequence[Predictions]:
    """Gives a table that does not know methods those of one that does, if its ids alone are unique."""
    knowing = [run for run in runs if not _knows_no_method(run)]
    if not knowing:
        return runs
    methods: dict[tuple[int, str], str] = {}
    for label, video, method in _named_videos(knowing[0]):
        if methods.setdefault((label, video), method) != method and len(knowing) < len(runs):
            raise UserError(
                f"a table without manipulation does not say which '{video}' it means, that of "
                f"{methods[label, video]} or of {method}; add a column manipulation"
            )
    return [_renamed(run, methods) if _knows_no_method(run) else run for run in runs]


def _renamed(run: Predictions, methods: Mapping[tuple[int, str], str]) -> Predictions:
    names = [methods.get((label, video), own) for label, video, own in _named_videos(run)]
    return replace(run, manipulations=np.array(names))


def _named_videos(run: Predictions) -> Iterator[tuple[int, str, str]]:
    """Label, id and method of each video."""
    return zip(run.labels.tolist(), run.video_ids.tolist(), run.manipulations.tolist(), strict=True)


def _knows_no_method(run: Predictions) -> bool:
    """Whether its fakes are called what `read_csv` calls them without a column for it."""
    return set(run.manipulations[run.labels == 1].tolist()) == {UNKNOWN_METHOD}


def _refuse_contradictions(runs: Sequence[Predictions]) -> None:
    """Refuses runs that differ in a video's label or fold, and folds without both classes."""
    first = runs[0]
    for run in runs:
        for name in ("labels", "folds"):
            differs = getattr(run, name) != getattr(first, name)
            if differs.any():
                key = first.video_keys[differs][0]
                raise UserError(f"the detectors have different {name} for video '{key}'; evaluate both again")
    for fold in np.unique(first.folds):
        if len(set(first.labels[first.folds == fold].tolist())) < 2:
            raise NothingSharedError(f"the detectors share no real or no fake video of fold {fold}")


def run_scores(videos: Sequence[Predictions]) -> RunScores:
    """The scores of several runs, out of `shared_videos`."""
    folds = videos[0].folds
    return RunScores(
        videos[0].labels,
        np.stack([run.scores for run in videos]),
        videos[0].clusters,
        folds if (folds != "").any() else None,
    )


def _refuse_copies(runs: Sequence[Predictions]) -> None:
    """Refuses scores that came twice: a run counts once, however often it is given.

    Few different scores, as of a detector that says the same of all, may well agree.
    """
    seen: dict[bytes, int] = {}
    for number, run in enumerate(runs, 1):
        if len(set(run.scores.tolist())) <= _MAY_AGREE:
            continue
        twin = seen.setdefault(run.scores.tobytes(), number)
        if twin != number:
            raise UserError(
                f"runs {twin} and {number} of a method have the same scores; give each run once, trained "
                "with a --seed of its own"
            )
