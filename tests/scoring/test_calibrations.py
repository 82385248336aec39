"""A run calibrated on the people whom its training never saw, and judged on test."""

import hashlib
import json
from types import SimpleNamespace

import numpy as np
import pytest

import deepfake_tfdata.input.set_aside as set_aside_module
import deepfake_tfdata.scoring.run_clips as run_clips_module
import deepfake_tfdata.scoring.run_evaluation as run_evaluation_module
from deepfake_tfdata.evaluate import EvaluateConfig, main
from deepfake_tfdata.evaluation.calibration import read_calibration
from deepfake_tfdata.evaluation.evaluations import read_metrics
from deepfake_tfdata.evaluation.predictions import per_video
from deepfake_tfdata.input.batches import find_split
from deepfake_tfdata.input.set_aside import CALIBRATION
from deepfake_tfdata.input.video_ranges import video_ranges
from deepfake_tfdata.options import build
from deepfake_tfdata.records.ledger import read_ledger
from deepfake_tfdata.scoring.applied import file_fingerprint
from deepfake_tfdata.scoring.calibrations import calibrate, with_calibration
from deepfake_tfdata.scoring.run_evaluation import RunScorer
from deepfake_tfdata.scoring.runs import read_run
from deepfake_tfdata.training import TrainConfig
from tests.untrained import write_untrained_run


class Detector:
    """Stands in for a model: the darker a clip, the likelier it is fake. Counts how often it was loaded."""

    def __init__(self):
        self.loaded, self.scored = 0, 0

    def load(self, workdir):
        self.loaded += 1
        return workdir

    def predict(self, frames):
        self.scored += len(frames["frames"])
        means = np.mean(frames["frames"], axis=(1, 2, 3, 4))
        return lambda: [(128 - means).astype(np.float32)]


@pytest.fixture
def detector(monkeypatch):
    """What every run's model is; of two groups of people in the validation one is set aside."""
    found = Detector()
    monkeypatch.setattr(set_aside_module, "FEWEST_COMPONENTS", 2)
    monkeypatch.setattr(run_evaluation_module, "load_detector", found.load)
    monkeypatch.setattr(run_evaluation_module, "scored_model", lambda model: model)
    monkeypatch.setattr(run_evaluation_module, "make_predict", lambda model, strategy: found.predict)
    return found


@pytest.fixture
def run(records, tmp_path, detector):
    """The folder of a run that was never trained."""
    saved = SimpleNamespace(save=lambda path: path.write_bytes(b"a model"))
    return write_untrained_run(tmp_path / "run", records, saved, region="mouth", head="control")


def change_config(folder, **values):
    path = folder / "config.json"
    content = json.loads(path.read_text())
    for name, value in values.items():
        content["config"].pop(name)
        if value is not None:
            content["config"][name] = value
    path.write_text(json.dumps(content))


def test_evaluate_calibrates_once_and_judges_on_test(run, detector, capsys):
    main(EvaluateConfig(str(run), split="test"))
    assert detector.loaded == 1 and detector.scored == 8 + 4
    kept = read_calibration(run)
    assert kept.model == file_fingerprint(run / "model.keras") and kept.data == read_run(run).data
    assert kept.methods == ("Face2Face",)
    aside = find_split(read_run(run).input, CALIBRATION)
    assert sorted(kept.reference.video_keys.tolist()) == sorted({clip.video_key for clip in aside.clips[0]})
    scores = per_video(RunScorer(run).evaluate(CALIBRATION).predictions).scores
    np.testing.assert_allclose(1 / (1 + np.exp(-kept.reference.logits)), scores, atol=1e-6)
    metrics = read_metrics(run / "evaluation" / "test")
    assert metrics["calibration"]["num_videos"] == 4 and metrics["calibration"]["num_components_real"] == 1
    page = (run / "evaluation" / "test" / "report.html").read_text()
    assert 'download="tippett.csv"' in page and 'download="risk_coverage.svg"' in page
    assert "does not carry over to other generators" in page
    assert "calibrated on 4 videos" in capsys.readouterr().out


def test_a_calibration_is_kept_for_its_model_alone(run, detector):
    first = calibrate(RunScorer(run))
    assert (first.model, detector.scored) == (hashlib.sha256(b"a model").hexdigest(), 4)
    assert calibrate(RunScorer(run)).model == first.model and detector.scored == 4
    (run / "model.keras").write_bytes(b"another")
    second = calibrate(RunScorer(run))
    assert second.model == read_calibration(run).model != first.model and detector.scored == 8
    (run / "calibration.json").write_text("{")
    assert calibrate(RunScorer(run)).model == second.model and detector.scored == 12


@pytest.mark.parametrize("split", ["val", "train"])
def test_only_test_is_judged(run, split):
    scorer = RunScorer(run)
    found = with_calibration(scorer, scorer.evaluate(split))
    assert "calibration" not in found.metrics and found.calibration is None
    assert not (run / "calibration.json").exists()


def test_a_run_without_a_test_split_is_calibrated_by_scoring_those_set_aside(run):
    scorer = RunScorer(run)
    found = with_calibration(scorer, scorer.evaluate(CALIBRATION))
    assert "calibration" not in found.metrics and len(read_calibration(run).reference.logits) == 4


def test_corrupted_data_is_judged_by_the_runs_own_calibration(run, records):
    scorer = RunScorer(run)
    clean = with_calibration(scorer, scorer.evaluate("test"))
    kept = read_calibration(run).reference.logits
    worse = with_calibration(scorer, scorer.evaluate("test", corruption=("blur", 4)))
    assert worse.metrics["calibration"]["slope"] == clean.metrics["calibration"]["slope"]
    np.testing.assert_array_equal(read_calibration(run).reference.logits, kept)
    # The run's own records in another place are its own.
    (run / "calibration.json").unlink()
    change_config(run, data="/nowhere")
    moved = RunScorer(run)
    assert "calibration" in with_calibration(moved, moved.evaluate("test", str(records))).metrics


@pytest.mark.parametrize(
    ("config", "fewest", "note"),
    [
        ({"calibration": None}, 2, "training saw the whole validation; train again with --calibration=0.5"),
        ({}, 10, "nothing is set aside for calibration: there are 2 groups of people"),
        ({"data": "/nowhere"}, 2, "/nowhere"),
    ],
    ids=["before there was such an option", "few people", "other records, own gone"],
)
def test_what_can_not_be_calibrated_is_evaluated_all_the_same(
    run, other_records, monkeypatch, config, fewest, note
):
    monkeypatch.setattr(set_aside_module, "FEWEST_COMPONENTS", fewest)
    change_config(run, **config)
    scorer = RunScorer(run)
    data = str(other_records) if "data" in config else ""
    if data:  # of another spec, which a run may not be scored on, but for this test
        monkeypatch.setattr(run_clips_module, "require_same_spec", lambda *_: None)
    found = with_calibration(scorer, scorer.evaluate("test", data))
    assert any(each.startswith("not calibrated: ") and note in each for each in found.metrics["notes"])
    assert "calibration" not in found.metrics and found.metrics["auc"] is not None
    assert not (run / "calibration.json").exists()


def test_a_run_of_before_has_set_nothing_aside(run):
    change_config(run, calibration=None)
    assert read_run(run).input.calibration == read_run(run).config["calibration"] == 0


def test_the_ranges_are_those_of_the_ledger(records):
    shards = find_split(build(TrainConfig, {"data": str(records)}).input, "train")
    faces = [
        entry.faces
        for entry in read_ledger(records).values()
        if entry.video in {clip.video_key for clip in shards.clips[0]}
    ]
    assert len(faces) == 12
    assert video_ranges(records, shards) == {
        "face_pixels": (min(f.face_size for f in faces), max(f.face_size for f in faces)),
        "bits_a_pixel": (min(f.bits_a_pixel for f in faces), max(f.bits_a_pixel for f in faces)),
        "coverage": (1.0, 1.0),
        "frame_seconds": (0.16, 0.16),
    }


def test_a_ledger_of_before_has_fewer_ranges(records, tmp_path):
    shards = find_split(build(TrainConfig, {"data": str(records)}).input, "train")
    lines = [json.loads(line) for line in (records / "ledger.jsonl").read_text().splitlines()]
    for line in lines:
        del line["bits_a_pixel"], line["frame_seconds"]
    (tmp_path / "ledger.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert set(video_ranges(tmp_path, shards)) == {"face_pixels", "coverage"}
