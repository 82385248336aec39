"""A run that can give verdicts."""

import pytest

from deepfake_tfdata.evaluation.calibration import RANGES, DetectorCalibration, write_calibration
from deepfake_tfdata.model.detector import build_detector
from deepfake_tfdata.scoring.applied import file_fingerprint
from tests.fakes import FRAME_SIZE, NUM_FRAMES
from tests.untrained import sharpened, write_untrained_run
from tests.verdicts import made


@pytest.fixture(scope="module")
def workdir(records, tmp_path_factory):
    """An untrained run with a calibration whose real videos score lower than anything."""
    detector = build_detector("meso4", "attention", NUM_FRAMES, FRAME_SIZE, "none", lstm_units=4, native=True)
    folder = tmp_path_factory.mktemp("predict") / "run"
    write_untrained_run(
        folder, records, sharpened(detector), region="mouth", head="attention", backbone="meso4"
    )
    model = file_fingerprint(folder / "model.keras")
    reference = made.reference(separation=20.0)
    reference = type(reference)(
        reference.video_keys, reference.labels, reference.components, reference.logits - 20
    )
    ranges = dict.fromkeys(RANGES, (1e-9, 1e9))
    write_calibration(folder, DetectorCalibration(reference, ranges, model, "made", ("Face2Face",)))
    return folder
