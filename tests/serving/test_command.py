"""The command itself over a run's detector, on a video that is really decoded."""

from hashlib import sha256

import pytest

from deepfake_tfdata import build_detector
from deepfake_tfdata.evaluation.calibration import write_calibration
from deepfake_tfdata.scoring.applied import open_detector
from tests.fakes import FRAME_SIZE, NUM_FRAMES, face_frames, write_video
from tests.serving.client import serving, until
from tests.untrained import sharpened, write_untrained_run
from tests.verdicts import made


@pytest.fixture(scope="module")
def run(records, tmp_path_factory):
    """Never trained, and calibrated by hand."""
    detector = build_detector(
        "meso4", "attention", NUM_FRAMES, FRAME_SIZE, "none", lstm_units=4, regions=("mouth",), native=True
    )
    folder = tmp_path_factory.mktemp("run")
    write_untrained_run(folder, records, sharpened(detector), region="mouth", head="attention")
    write_calibration(folder, made.calibration(ranges={}, model=open_detector(folder).fingerprint))
    return folder


@pytest.mark.slow
def test_a_run_judges_a_real_video(run, tmp_path):
    content = write_video(tmp_path / "clip.mp4", face_frames(12)).read_bytes()
    (tmp_path / "server").mkdir()
    flags = (f"--workdir={run}", "--workers=1")
    with serving(*flags, folder=tmp_path / "server", module="deepfake_tfdata.serve") as server:
        place = server.post("/jobs", content).headers["location"]
        until(lambda: "verdict" in server.get(place).json)
        verdict = server.get(place).json["verdict"]
        page = server.get(f"{place}/page").body.decode()
        # Its workers write temporary files of their own, but nothing stays.
        assert not [*server.folder.iterdir()]
        health = server.health()
    assert verdict["sha256"] == sha256(content).hexdigest() and verdict["status"] == "ok"
    (face,) = verdict["faces"]
    assert len(face["clips"]) == 1 and 0 < face["score"] < 1
    assert verdict["file"]["codec"] == "h264"
    assert "--workdir" in verdict["command"] and verdict["command"].startswith(
        "python -m deepfake_tfdata.serve"
    )
    assert verdict["sha256"] in page
    (detector,) = health["detectors"]
    assert detector["calibrated"] and detector["fingerprint"] == open_detector(run).fingerprint


def test_a_mistake_is_answered_in_one_line(command, tmp_path):
    for flags, expected in (
        ([f"--workdir={tmp_path}", "--port=0"], "no detector in"),
        ([f"--workdir={tmp_path}", "--port=70000"], "--port=70000 is out of range"),
        (["--port=0"], "--workdir is missing"),
    ):
        result = command("serve", *flags)
        assert result.returncode == 2 and result.stderr.count("\n") == 1, result.stderr
        assert expected in result.stderr
