"""The runs of a study: trained one after another, then all scored on the test split, which is opened once."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras

from deepfake_tfdata.evaluation.evaluations import METRICS_FILE
from deepfake_tfdata.files import write_json
from deepfake_tfdata.input.corruptions import Corruption
from deepfake_tfdata.reports.evaluation_report import write_evaluation
from deepfake_tfdata.scoring.run_evaluation import EvaluatedRun, RunScorer
from deepfake_tfdata.studies.cells import Cell
from deepfake_tfdata.studies.options import StudyConfig
from deepfake_tfdata.studies.plan import Plan
from deepfake_tfdata.training.config import TrainConfig
from deepfake_tfdata.training.run import StartProgress, train

_LOG = logging.getLogger(__name__)
OPENED_FILE = "test_opened.json"


@dataclass(frozen=True)
class StudyRun:
    """One training.

    Attributes:
        cell: what kind of detector.
        seed: of it.
        fold: of the cross-validation, such as '2/5'; '' without one.
        config: what is trained.
    """

    cell: Cell
    seed: int
    fold: str
    config: TrainConfig

    @property
    def name(self) -> str:
        """For a person."""
        return f"{self.cell.name}, seed {self.seed}" + (f", fold {self.fold}" if self.fold else "")

    @property
    def finished(self) -> bool:
        """Whether it has trained to its end: its figures on the validation come last."""
        return self.evaluation("val").is_dir() and (self.evaluation("val") / METRICS_FILE).is_file()

    def evaluation(self, name: str) -> Path:
        """The folder of an evaluation, such as 'test'."""
        return self.config.folder / "evaluation" / name


def runs_of(config: StudyConfig, cells: Sequence[Cell]) -> list[StudyRun]:
    """All runs, a seed of every cell before the next seed."""
    folds = [f"{number}/{config.study.folds}" for number in range(1, config.study.folds + 1)] or [""]
    runs = []
    for seed in range(config.study.seeds):
        for cell in cells:
            for fold in folds:
                name = f"seed-{seed}" + (f"-fold-{fold.partition('/')[0]}" if fold else "")
                folder = Path(config.study.workdir) / "runs" / cell.folder / name
                train_config = replace(
                    config.train,
                    workdir=str(folder),
                    input=replace(config.train.input, region=cell.region, view=cell.view, fold=fold),
                    model=replace(config.train.model, head=cell.head),
                    devices=replace(config.train.devices, seed=seed),
                )
                runs.append(StudyRun(cell, seed, fold, train_config))
    return runs


def train_runs(
    runs: Sequence[StudyRun],
    start_progress: StartProgress,
    should_stop: Callable[[], bool],
    on_run: Callable[[str], None],
) -> bool:
    """Trains what is not finished.

    Args:
        runs: all of a study.
        start_progress, should_stop: as `train` takes them.
        on_run: called with the name of each run that is finished.

    Returns:
        Whether all are finished; not so where it was asked to stop.
    """
    for run in runs:
        if not run.finished:
            outcome = train(run.config, start_progress, should_stop)
            if not outcome.finished:
                return False
            _write(outcome.validation or RunScorer(run.config.folder).evaluate("val"), run)
            keras.backend.clear_session(free_memory=True)
        on_run(run.name)
    return True


def open_test(folder: Path, plan: Plan, runs: Sequence[StudyRun]) -> dict[str, object]:
    """Notes when the test split was opened, the first time; all runs have to be finished.

    Returns:
        What test_opened.json holds: the plan's hash, the time, and the runs that somebody had scored on the
        test split before.

    Raises:
        ValueError: a run is not finished.
    """
    unfinished = [run.name for run in runs if not run.finished]
    if unfinished:
        raise ValueError(f"{unfinished[0]} is not trained")
    path = folder / OPENED_FILE
    if not path.exists():
        before = [run.name for run in runs if (run.evaluation("test") / METRICS_FILE).is_file()]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        write_json(path, {"plan": plan.hash, "time": now, "scored_before": before})
    opened: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return opened


@dataclass(frozen=True)
class Scoring:
    """Something that runs are scored on.

    Attributes:
        folder: of the evaluation, by its name.
        data: folder of the records; the run's own if ''.
        corruption: of every clip, such as ('codec', 40).
    """

    folder: str
    data: str = ""
    corruption: Corruption | None = None


TEST = Scoring("test")


def score_run(run: StudyRun, scorings: Sequence[Scoring]) -> Iterator[Scoring]:
    """Scores a run on what it was not scored on yet; gives each when it is done."""
    scorer = RunScorer(run.config.folder)
    for scoring in scorings:
        if not (run.evaluation(scoring.folder) / METRICS_FILE).is_file():
            _write(scorer.evaluate("test", scoring.data, scoring.corruption), run)
        yield scoring
    keras.backend.clear_session(free_memory=True)


def _write(evaluated: EvaluatedRun, run: StudyRun) -> None:
    title = f"{run.name} on {evaluated.folder.name}"
    write_evaluation(
        evaluated.folder, evaluated.predictions, evaluated.metrics, title=title, context=evaluated.context
    )
