"""What the scores of a study say: its cells, its comparisons, and where a difference comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepfake_tfdata.evaluation.comparison import Comparison, compare, num_left_out, run_scores, shared_videos
from deepfake_tfdata.evaluation.mrmc import Estimate, holm, method_auc, run_aucs
from deepfake_tfdata.evaluation.predictions import Predictions, concatenated

PRIMARY, SECONDARY, EXPLORATORY = "primary", "secondary", "exploratory"
# By the name of a cell, a prediction of videos for each seed; once aligned, of the same videos in one order.
Scores = Mapping[str, Sequence[Predictions]]


@dataclass(frozen=True)
class CellResult:
    """How good one kind of detector is.

    Attributes:
        name: of the cell.
        auc: mean over its runs.
        runs: the AUC of each.
    """

    name: str
    auc: Estimate
    runs: tuple[float, ...]


@dataclass(frozen=True)
class ContrastResult:
    """One comparison of a study.

    Attributes:
        kind: PRIMARY; SECONDARY, whose p values are adjusted together; or EXPLORATORY, whose are not.
        first, second: names of the cells.
        comparison: of the two.
    """

    kind: str
    first: str
    second: str
    comparison: Comparison


def whole_splits(scores: Mapping[str, Sequence[Sequence[Predictions]]]) -> dict[str, list[Predictions]]:
    """The predictions of every cell's seeds.

    Args:
        scores: by cell, for each seed the predictions of each fold; of one without a cross-validation.
    """
    return {name: [concatenated(folds) for folds in seeds] for name, seeds in scores.items()}


def align(scores: Scores) -> dict[str, list[Predictions]]:
    """Puts the videos of all runs into one order, and leaves out those that a run did not score."""
    videos = iter(shared_videos(_all_runs(scores)))
    return {name: [next(videos) for _ in runs] for name, runs in scores.items()}


def left_out(scores: Scores) -> int:
    """How many videos `align` leaves out."""
    return num_left_out(_all_runs(scores))


def _all_runs(scores: Scores) -> list[Predictions]:
    return [run for runs in scores.values() for run in runs]


def cell_results(scores: Scores) -> list[CellResult]:
    """Every cell's AUC."""
    results = []
    for name, runs in scores.items():
        aucs = run_aucs(run_scores(runs))
        results.append(CellResult(name, method_auc(aucs), tuple(aucs.values.tolist())))
    return results


def contrast_results(
    scores: Scores,
    primary: tuple[str, str],
    secondary: Sequence[tuple[str, str]],
    exploratory: Sequence[tuple[str, str]],
    margin: float,
) -> list[ContrastResult]:
    """All comparisons: the primary one, the secondary ones by Holm's method, the others as they are.

    Args:
        scores: of the videos.
        primary, secondary, exploratory: names of cells, the first against the second.
        margin: of equivalence.
    """

    def results(kind: str, pairs: Sequence[tuple[str, str]]) -> list[ContrastResult]:
        return [
            ContrastResult(kind, *pair, compare(scores[pair[0]], scores[pair[1]], margin)) for pair in pairs
        ]

    family = results(SECONDARY, secondary)
    adjusted = holm([each.comparison.p for each in family])
    return [
        *results(PRIMARY, [primary]),
        *(
            ContrastResult(each.kind, each.first, each.second, each.comparison.adjusted(p, len(family)))
            for each, p in zip(family, adjusted, strict=True)
        ),
        *results(EXPLORATORY, exploratory),
    ]
