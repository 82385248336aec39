"""The command itself, over an export, on a video that is really decoded."""

from hashlib import sha256
from pathlib import Path

import pytest

from deepfake_tfdata.clips.spec import ClipSpec
from tests.fakes import face_frames, write_video
from tests.serving.client import serving, until


def test_an_export_judges_a_real_video_without_tensorflow(tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from tests.serving.made_export import write_made_export

    content = write_video(tmp_path / "clip.mp4", face_frames(12)).read_bytes()
    for folder in ("export", "server"):
        (tmp_path / folder).mkdir()
    export = write_made_export(tmp_path / "export", ClipSpec(num_frames=4, frame_size=32))
    flags = (f"--workdir={export}", "--workers=1")
    with serving(*flags, folder=tmp_path / "server", module="deepfake_tfdata.serve") as server:
        place = server.post("/jobs", content).headers["location"]
        until(lambda: server.get(place).json["stage"] == "done")
        verdict = server.get(place).json["verdict"]
        page = server.get(f"{place}/page").body.decode()
        health = server.health()
        assert not [*server.folder.iterdir()]
        assert "tensorflow" not in Path(f"/proc/{server.process.pid}/maps").read_text()
    assert verdict["sha256"] == sha256(content).hexdigest() and verdict["status"] == "ok"
    (face,) = verdict["faces"]
    assert len(face["clips"]) == 1 and 0 < face["score"] < 1
    assert (verdict["file"]["name"], verdict["file"]["codec"]) == ("clip.mp4", "h264")
    assert verdict["command"].startswith("python -m deepfake_tfdata.serve ")
    assert f"--workdir={export}" in verdict["command"]
    assert verdict["sha256"] in page and "mouth/brightness" in page
    assert [each["calibrated"] for each in health["detectors"]] == [True]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--workdir={tmp}", "--port=0"], "no detector in"),
        (["--workdir={tmp}", "--port=70000"], "--port=70000 is out of range"),
    ],
)
def test_a_mistake_is_answered_in_one_line(command, tmp_path, flags, expected):
    result = command("serve", *(flag.format(tmp=tmp_path) for flag in flags))
    assert result.returncode == 2 and result.stderr.count("\n") == 1, result.stderr
    assert expected in result.stderr
