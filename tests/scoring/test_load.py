"""A detector from its file, as somebody else's program loads it."""

import subprocess
import sys

import numpy as np
import pytest

from deepfake_tfdata import build_detector, load_detector
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model import assembly
from deepfake_tfdata.model.resize import ResizeView
from deepfake_tfdata.pixels import VIEW as VIEW_NAMES
from deepfake_tfdata.pixels import view_numbers
from deepfake_tfdata.scoring.run_evaluation import scored_model

VIEW = np.float32([view_numbers((0, 0, 40, 36), (0, 0, 40, 36))])


@pytest.fixture(scope="module")
def native_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    build_detector("meso4", "control", 2, 32, "none", lstm_units=4, native=True).save(folder / "model.keras")
    return folder


@pytest.mark.slow
def test_a_fresh_process_needs_nothing_but_the_package(native_model):
    code = (
        "import sys, deepfake_tfdata\n"
        "detector = deepfake_tfdata.load_detector(sys.argv[1])\n"
        "print([tensor.name for tensor in detector.inputs])\n"
    )
    result = subprocess.run([sys.executable, "-c", code, str(native_model)], capture_output=True, text=True)
    assert "['frames', 'view']" in result.stdout, result.stderr


def test_a_workdir_and_its_file_give_the_same_detector(native_model):
    frames = np.random.default_rng(0).integers(0, 256, (1, 2, 40, 36, 3), np.uint8)
    logits = [
        np.asarray(load_detector(place)({"frames": frames, "view": VIEW}))
        for place in (native_model, native_model / "model.keras")
    ]
    assert logits[0] == logits[1]


def test_a_file_that_is_missing_or_damaged_is_named(native_model, tmp_path):
    with pytest.raises(UserError, match=f"no model in {tmp_path}/model.keras"):
        load_detector(tmp_path)
    (tmp_path / "model.keras").write_bytes((native_model / "model.keras").read_bytes()[:500])
    with pytest.raises(UserError, match=f"{tmp_path}/model.keras can't be loaded"):
        load_detector(tmp_path)


def test_a_model_that_takes_other_views_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(assembly, "VIEW", VIEW_NAMES[:-1])
    monkeypatch.setattr(ResizeView, "call", lambda self, frames, view: frames)
    build_detector("meso4", "control", 2, 32, "none", lstm_units=4, native=True).save(
        tmp_path / "model.keras"
    )
    with pytest.raises(UserError, match="takes views of another version of this project; train again"):
        load_detector(tmp_path)


@pytest.mark.parametrize(("head", "outputs"), [("control", 1), ("transformer", 1), ("attention", 2)])
def test_only_a_head_that_weighs_frames_gives_weights(head, outputs):
    detector = scored_model(build_detector("meso4", head, 2, 32, "none", lstm_units=4))
    assert len(detector.outputs) == outputs
