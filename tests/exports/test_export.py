"""An export says of real clips what its run says, in every format, or there is none."""

import json

import keras
import numpy as np
import pytest

from deepfake_tfdata import build_detector
from deepfake_tfdata.exports.write import export_run
from deepfake_tfdata.scoring.applied import open_detector
from tests.fakes import FRAME_SIZE, NUM_FRAMES
from tests.untrained import sharpened, write_untrained_run

pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("ai_edge_litert")


def untrained(folder, records, head="attention", regions=("mouth",), policy="float32", **options):
    """A run on these records, and how many of its outputs there are."""
    keras.utils.set_random_seed(0)
    native = records.name == "records"
    keras.config.set_dtype_policy(policy)
    detector = build_detector(
        "meso4", head, NUM_FRAMES, FRAME_SIZE, "none", lstm_units=4, regions=regions, native=native
    )
    keras.config.set_dtype_policy("float32")
    return write_untrained_run(
        folder, records, sharpened(detector), policy, region=",".join(regions), head=head, **options
    )


CASES = {
    "native attention": dict(head="attention"),
    "view": dict(head="transformer", regions=("full",), view="mouth@0.5"),
    "reduced": dict(head="last", regions=("full",), view="mouth_reduced"),
    "regions": dict(head="attention", regions=("full", "mouth")),
    "float16": dict(head="control_matched", policy="mixed_float16"),
    "resized": dict(head="max", resized=True),
    "resized2": dict(head="attention", resized=True, regions=("full", "mouth")),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("format_name", ["saved_model", "onnx", "litert"])
def test_all(name, format_name, records, resized_records, tmp_path):
    case = dict(CASES[name])
    run = untrained(tmp_path / "run", resized_records if case.pop("resized", False) else records, **case)
    written = export_run(run, format_name, tmp_path / "export", 4)
    print(name, format_name, written.parity, written.model_bytes)
    assert written.parity.spread > 0.1
