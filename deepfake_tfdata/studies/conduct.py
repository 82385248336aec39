"""A study from its options to its result: plan, train everything, open the test split, score, conclude."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deepfake_tfdata.evaluation.evaluations import read_evaluation
from deepfake_tfdata.evaluation.predictions import Predictions
from deepfake_tfdata.records.metadata import Conversion
from deepfake_tfdata.studies.options import StudyConfig
from deepfake_tfdata.studies.plan import Plan, Records, keep_plan, make_plan
from deepfake_tfdata.studies.runs import (
    TEST,
    Scoring,
    StudyRun,
    open_test,
    require_unopened,
    runs_of,
    score_run,
    train_runs,
)
from deepfake_tfdata.training.run import StartProgress

# By cell, for each seed, of each fold.
FoldScores = dict[str, list[list[Predictions]]]


class Watcher(Protocol):
    """Who is told how a study goes on."""

    def steps(self, count: int) -> AbstractContextManager[Callable[[str], None]]:
        """Shows the steps of one training; what it gives is called after each."""

    def runs(self, what: str, count: int, unit: str) -> AbstractContextManager[Callable[[str], None]]:
        """Shows what is trained, or scored; what it gives is called with the name of each."""


@dataclass(frozen=True)
class Conducted:
    """A study whose runs are trained and scored.

    Attributes:
        config, plan: of the study.
        conversion: of its records.
        runs: all of them.
        opened: when the test split was.
        scorings: what was scored, by purpose: 'robustness', 'transfer'.
    """

    config: StudyConfig
    plan: Plan
    conversion: Conversion
    runs: list[StudyRun]
    opened: dict[str, object]
    scorings: dict[str, list[Scoring]]

    def scores(self, scoring: Scoring = TEST, cells: tuple[str, ...] = ()) -> FoldScores:
        """What the runs of some cells said; of all cells where none is named."""
        found: FoldScores = {}
        for run in self.runs:
            if cells and run.cell.name not in cells:
                continue
            seeds = found.setdefault(run.cell.name, [])
            if len(seeds) <= run.seed:
                seeds.append([])
            seeds[run.seed].append(read_evaluation(run.evaluation(scoring.folder)).predictions)
        return found

    def runs_of_cell(self, name: str) -> Iterator[StudyRun]:
        """The runs of one cell."""
        return (run for run in self.runs if run.cell.name == name)


def conduct(
    config: StudyConfig, records: Records, watcher: Watcher, should_stop: Callable[[], bool]
) -> Conducted | None:
    """Carries a study out, or goes on where it stopped.

    Args:
        config: the options.
        records: what `find_records` found for them.
        watcher: is told how it goes on.
        should_stop: asked while a run trains, and between evaluations; True saves and ends.

    Returns:
        The study; None where it was asked to stop.

    Raises:
        UserError: the options or the folder do not fit.
    """
    plan = make_plan(config, records)
    folder = Path(config.study.workdir)
    runs = runs_of(config, plan.cells)
    start_progress: StartProgress = watcher.steps
    keep_plan(folder, plan)
    require_unopened(folder, plan, runs)
    with watcher.runs("trained", len(runs), "runs") as on_run:
        if not train_runs(runs, start_progress, should_stop, on_run):
            return None
    scorings = _scorings(config, plan, records.others)
    study = Conducted(config, plan, records.conversion, runs, open_test(folder, plan, runs), scorings)
    return study if _score(study, watcher, should_stop) else None


def _scorings(config: StudyConfig, plan: Plan, others: Sequence[Conversion]) -> dict[str, list[Scoring]]:
    """What is scored beside the test split."""
    corrupted = [
        Scoring(f"test-{name}-{strength:g}", corruption=(name, strength))
        for name, strengths in plan.corruptions.items()
        for strength in strengths
    ]
    elsewhere = [
        Scoring(f"test-{other.identity}", data=data)
        for other, data in zip(others, config.study.transfer, strict=True)
    ]
    return {"robustness": corrupted, "transfer": elsewhere}


def _score(study: Conducted, watcher: Watcher, should_stop: Callable[[], bool]) -> bool:
    """Scores all runs on all that they are to be scored on; False where it was asked to stop."""
    deciding = (study.plan.primary.first, study.plan.primary.second)
    asked = {
        run: [
            TEST,
            *study.scorings["transfer"],
            *(study.scorings["robustness"] if run.cell.name in deciding else ()),
        ]
        for run in study.runs
    }
    with watcher.runs("scored", sum(map(len, asked.values())), "evaluations") as on_scoring:
        for run, scorings in asked.items():
            for scoring in score_run(run, scorings):
                on_scoring(f"{run.name}, {scoring.folder}")
                if should_stop():
                    return False
    return True
