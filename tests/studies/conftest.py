from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from deepfake_tfdata.evaluation.evaluations import write_scores
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import Predictions
from deepfake_tfdata.options import build, flat
from deepfake_tfdata.records.metadata import find_conversion
from deepfake_tfdata.scoring.run_evaluation import EvaluatedRun
from deepfake_tfdata.scoring.runs import Run, read_run, write_run
from deepfake_tfdata.studies import runs as runs_module
from deepfake_tfdata.studies.conduct import conduct
from deepfake_tfdata.studies.options import StudyConfig
from deepfake_tfdata.studies.plan import find_records
from deepfake_tfdata.training.run import Outcome


@pytest.fixture
def make_runs():
    """Runs of one cell on pairs of identities: the same videos whatever the cell, an AUC of one's choice."""

    def make(separation, seeds=3, pairs=24, first_seed=0):
        people = [f"{number:03d}" for number in range(2 * pairs)]
        partner = [f"{number ^ 1:03d}" for number in range(2 * pairs)]
        labels = np.repeat([0, 1], 2 * pairs)
        videos = np.array(people + [f"{a}_{b}" for a, b in zip(people, partner, strict=True)])
        base = np.random.default_rng(99).normal(size=len(labels))
        whole = Predictions(
            clip_ids=videos,
            video_ids=videos,
            manipulations=np.where(labels, "Face2Face", "original"),
            target_ids=np.array(people * 2),
            source_ids=np.array([""] * 2 * pairs + partner),
            labels=labels,
            scores=np.full(len(labels), 0.5),
        )
        runs = []
        for seed in range(seeds):
            noise = np.random.default_rng([first_seed, seed]).normal(size=len(labels))
            logits = base + 0.5 * noise + separation * (labels - 0.5)
            runs.append(replace(whole, scores=1 / (1 + np.exp(-logits))))
        return runs

    return make


class Trainings:
    """Stands in for `train` and `RunScorer`, and remembers what was trained and scored in which order.

    The scores of a cell depend on how much of the mouth's pixels it sees.
    """

    def __init__(self, make_runs):
        self.calls, self.fails_at, self.misses_a_video = [], "", ""
        self._make_runs = make_runs

    def train(self, config, start_progress, should_stop):
        name = f"{config.folder.parent.name}/{config.folder.name}"
        if name == self.fails_at:
            return Outcome(finished=False, chief=True, validation=None)
        self.calls.append(f"train {name}")
        config.folder.mkdir(parents=True, exist_ok=True)
        (config.folder / "model.keras").write_bytes(name.encode())
        counts = dict.fromkeys(("backbone", "temporal", "head", "total", "trainable"), 7)
        run = Run(flat(config), "float32", {}, "", "", {}, "", "", counts, 1)
        write_run(config.folder, run)
        return Outcome(finished=True, chief=True, validation=None)

    def scorer(self, workdir):
        return _Scorer(self, workdir)

    def scored(self, workdir, split, data, corruption):
        name = f"{workdir.parent.name}/{workdir.name}"
        folder = split + (f"-{corruption[0]}-{corruption[1]:g}" if corruption else "")
        folder += f"-{find_conversion(data, []).identity}" if data else ""
        self.calls.append(f"{folder} {name}")
        options = read_run(workdir).input
        separation = 3.0 if options.view == "mouth" else 1.0
        seed = int(workdir.name.split("-")[1])
        predictions = self._make_runs(separation, seeds=seed + 1, first_seed=len(options.view))[seed]
        if options.fold:
            number, count = map(int, options.fold.split("/"))
            pair = np.array([int(target) // 2 for target in predictions.target_ids])
            predictions = predictions.select(np.flatnonzero(pair % count == number - 1))
            predictions = replace(predictions, folds=[options.fold] * len(predictions))
        if options.view == self.misses_a_video:
            predictions = predictions.select(np.arange(1, len(predictions)))
        metrics = {**evaluate(predictions, resamples=20), "data": {"name": "drawn", "identity": "0123"}}
        return EvaluatedRun("run", predictions, metrics, split, workdir / "evaluation" / folder, {})


class _Scorer:
    def __init__(self, trainings, workdir):
        self._trainings, self._workdir = trainings, workdir

    def evaluate(self, split, data="", corruption=None):
        return self._trainings.scored(self._workdir, split, data, corruption)


class Silent:
    """A watcher that says nothing."""

    @contextmanager
    def steps(self, count):
        yield lambda note: None

    @contextmanager
    def runs(self, what, count, unit):
        yield lambda note: None


@pytest.fixture
def trainings(make_runs, monkeypatch):
    found = Trainings(make_runs)
    monkeypatch.setattr(runs_module, "train", found.train)
    monkeypatch.setattr(runs_module, "RunScorer", found.scorer)
    monkeypatch.setattr(runs_module, "write_evaluation", _write_scores)
    # No detector was built; to look for one to free takes half a second a run.
    monkeypatch.setattr(runs_module.keras.backend, "clear_session", lambda free_memory: None)
    return found


def _write_scores(folder, predictions, metrics, **_):
    write_scores(folder, predictions, metrics)


@pytest.fixture
def study(records, tmp_path):
    """Conducts a study with these flags, on records that nobody reads."""

    def conducted(should_stop=lambda: False, **flags):
        flags = {"data": str(records), "workdir": str(tmp_path / "study"), "seeds": 2, **flags}
        flags = {"heads": ("control",), "arms": "full", "regions": (), **flags}
        config = build(StudyConfig, flags)
        return conduct(config, find_records(config), Silent(), should_stop)

    return conducted
