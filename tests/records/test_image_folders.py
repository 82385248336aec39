"""The convert command on faces that somebody has cut and resized before."""

import json

from PIL import Image

from tests.fakes import face_frames

METHOD = "manipulated_sequences/Face2Face/c23/frames"


def test_faces_already_resized_are_converted_and_called_so(tmp_path, command):
    names = ("original_sequences/youtube/c23/frames/000", f"{METHOD}/000_003", f"{METHOD}/001_003")
    for name in names:
        folder = tmp_path / "source" / name
        folder.mkdir(parents=True)
        for position, frame in enumerate(face_frames(6)):
            Image.fromarray(frame).save(folder / f"{9 * position:03d}.png")
    damaged = tmp_path / "source" / names[2] / "018.png"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    flags = (f"--source={tmp_path / 'source'}", f"--output={tmp_path / 'out'}", "--num_frames=4")
    result = command("convert", *flags, "--regions=mouth")
    assert result.returncode == 0, result.stderr
    assert "3 of 3 videos are faces already resized: what native crops mean is lost" in result.stdout
    assert json.loads((tmp_path / "out" / "conversion.json").read_text())["source"]["not_native"] == 3
    entries = [json.loads(line) for line in (tmp_path / "out" / "ledger.jsonl").read_text().splitlines()]
    assert {entry["video"]: (entry["status"], entry["reason"]) for entry in entries} == {
        "original/000": ("ok", ""),
        "Face2Face/000_003": ("ok", ""),
        "Face2Face/001_003": ("unreadable", "the image 018.png can't be read: it is damaged, or none"),
    }
