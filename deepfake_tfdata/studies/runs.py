"""The runs of a study: trained one after another, then all scored on the test split, which is opened once."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.evaluations import METRICS_FILE, write_scores
from deepfake_tfdata.files import write_json
from deepfake_tfdata.input.corruptions import Corruption
from deepfake_tfdata.options import flat
from deepfake_tfdata.reports.evaluation_report import write_evaluation
from deepfake_tfdata.scoring.run_evaluation import EvaluatedRun, RunScorer
from deepfake_tfdata.scoring.runs import MODEL_FILE, read_run
from deepfake_tfdata.studies.cells import Cell
from deepfake_tfdata.studies.options import StudyConfig
from deepfake_tfdata.studies.plan import DECIDING, Plan
from deepfake_tfdata.training.config import TrainConfig
from deepfake_tfdata.training.resume import require_same_options
from deepfake_tfdata.training.run import StartProgress, train

OPENED_FILE = "test_opened.json"
# In the folder of a run.
TRAINED_FILE = "trained.json"


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
        """Whether this study has trained it to its end."""
        return self._trained.is_file()

    @property
    def _trained(self) -> Path:
        return self.config.folder / TRAINED_FILE

    def mark_finished(self) -> None:
        """Notes that it is trained, and which model came of it."""
        write_json(self._trained, {"model": self._model_hash()})

    def require_own_model(self) -> None:
        """Refuses a model or options that are not those that the study trained.

        Raises:
            UserError: either was changed since.
        """
        trained = json.loads(self._trained.read_text(encoding="utf-8"))["model"]
        if trained != self._model_hash():
            raise UserError(
                f"{self.config.folder / MODEL_FILE} is not the one that the study trained; put it back"
            )
        require_same_options(
            self.config.folder, read_run(self.config.folder).config, flat(self.config), DECIDING
        )

    def _model_hash(self) -> str:
        return hashlib.sha256((self.config.folder / MODEL_FILE).read_bytes()).hexdigest()

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
            run.mark_finished()
            keras.backend.clear_session(free_memory=True)
        on_run(run.name)
    return True


def require_unopened(folder: Path, plan: Plan, runs: Sequence[StudyRun]) -> None:
    """Refuses to train anything for this plan once the test split is open.

    Raises:
        UserError: it was opened for another plan, or a run is gone.
    """
    if not (folder / OPENED_FILE).exists():
        return
    opened = _read_opened(folder)
    if opened["plan"] != plan.hash:
        raise UserError(
            f"{folder} opened the test split for another plan, {opened['plan']}; choose another --workdir"
        )
    for run in runs:
        if not run.finished:
            raise UserError(
                f"{run.config.folder} is not trained, though the test split was opened at {opened['time']}: "
                "put it back, or choose another --workdir"
            )


def open_test(folder: Path, plan: Plan, runs: Sequence[StudyRun]) -> dict[str, Any]:
    """Notes when the test split was opened, the first time; all runs have to be finished.

    What somebody had scored of it before is scored anew: it may be of another model.

    Returns:
        What test_opened.json holds: the plan's hash, the time, and the runs that somebody had scored on the
        test split before.

    Raises:
        UserError: a run has another model, or other options, than the study trained.
        ValueError: a run is not finished.
    """
    unfinished = [run.name for run in runs if not run.finished]
    if unfinished:
        raise ValueError(f"{unfinished[0]} is not trained")
    for run in runs:
        run.require_own_model()
    if not (folder / OPENED_FILE).exists():
        early = {run.name: list(run.evaluation("").glob(f"test*/{METRICS_FILE}")) for run in runs}
        for figures in early.values():
            for path in figures:
                path.unlink()
        write_json(
            folder / OPENED_FILE,
            {
                "plan": plan.hash,
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "scored_before": [name for name, figures in early.items() if figures],
            },
        )
    return _read_opened(folder)


def _read_opened(folder: Path) -> dict[str, Any]:
    path = folder / OPENED_FILE
    try:
        opened: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _ = opened["plan"], opened["time"], opened["scored_before"]
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{path} is damaged; put it back, or choose another --workdir") from None
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
            evaluated = scorer.evaluate("test", scoring.data, scoring.corruption)
            if scoring == TEST:
                _write(evaluated, run)
            else:  # one of many, which nobody reads one by one
                write_scores(evaluated.folder, evaluated.predictions, evaluated.metrics)
        yield scoring
    keras.backend.clear_session(free_memory=True)


def _write(evaluated: EvaluatedRun, run: StudyRun) -> None:
    title = f"{run.name} on {evaluated.folder.name}"
    write_evaluation(
        evaluated.folder, evaluated.predictions, evaluated.metrics, title=title, context=evaluated.context
    )
