"""`python -m deepfake_tfdata.predict`: from a run and videos to verdicts."""

import json
import shutil
import signal
import time
from pathlib import Path

import av
import numpy as np
import pytest

from deepfake_tfdata.records.ledger import read_ledger
from deepfake_tfdata.scoring.applied import file_fingerprint
from tests import processes
from tests.reports.html_checks import check_html

TEST_VIDEOS = [f"original_sequences/youtube/c23/videos/{name}.mp4" for name in ("020", "021")]


def verdicts_in(folder: Path) -> dict[str, dict]:
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("*/verdict.json"))}


@pytest.mark.slow
def test_a_folder_is_judged_and_a_killed_run_goes_on(workdir, ffpp_tree, records, command, tmp_path):
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for place in TEST_VIDEOS:
        shutil.copy(ffpp_tree / place, source)
    (source / "broken.mp4").write_bytes((source / "020.mp4").read_bytes()[:3000])
    arguments = [
        f"--workdir={workdir}",
        f"--source={source}",
        f"--output={output}",
        "--workers=1",
        "--annotate",
    ]
    killed = processes.Forked("deepfake_tfdata.predict", *arguments)
    while not (output / "020.mp4" / "verdict.json").exists() and killed.poll() is None:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = verdicts_in(output)  # each is whole
    assert "020.mp4" in before
    kept = (output / "020.mp4" / "verdict.json").stat().st_mtime_ns

    result = command("predict", *arguments)
    assert result.returncode == 0, result.stderr
    assert (output / "020.mp4" / "verdict.json").stat().st_mtime_ns == kept
    found = verdicts_in(output)
    assert {name: each["verdict"] for name, each in found.items()} == {
        "020.mp4": "abstained",
        "021.mp4": "abstained",
        "broken.mp4": "abstained",
    }
    # A photograph that is panned is no head that moves.
    assert found["021.mp4"]["reasons"] == ["the picture stands still: the detector judges faces that move"]
    assert "truncated" in found["broken.mp4"]["reasons"][0] and len(found["broken.mp4"]["sha256"]) == 64
    assert "broken.mp4: abstained: no video can be recognised in it" in result.stdout
    ledger = read_ledger(output)
    assert {name: ledger[name].status for name in sorted(ledger)} == {
        "020.mp4": "ok",
        "021.mp4": "ok",
        "broken.mp4": "unreadable",
    }
    assert "--workers=1" in found["021.mp4"]["command"]
    assert found["021.mp4"]["model"][0]["fingerprint"] == file_fingerprint(workdir / "model.keras")
    assert {"tensorflow", "keras", "av", "opencv"} <= set(found["021.mp4"]["versions"])
    check_html((output / "021.mp4" / "verdict.html").read_text())
    assert not list(output.rglob("*incomplete*"))
    with av.open(str(output / "021.mp4" / "annotated.mp4")) as annotated:
        assert sum(1 for _ in annotated.decode(video=0)) == 12
    assert not (output / "broken.mp4" / "annotated.mp4").exists()
    # A video of the data set scores as `evaluate` has it.
    evaluated = command("evaluate", f"--workdir={workdir}", "--split=test")
    assert evaluated.returncode == 0, evaluated.stderr
    lines = (workdir / "evaluation" / "test" / "predictions.csv").read_text().splitlines()[1:]
    scores = {line.split(",")[1]: float(line.split(",")[3]) for line in lines}
    for name in ("020", "021"):
        assert found[f"{name}.mp4"]["faces"][0]["score"] == pytest.approx(scores[name], abs=1e-5)
        frames = found[f"{name}.mp4"]["faces"][0]["frames"]
        assert np.mean([frame["attention"] for frame in frames]) == pytest.approx(1, abs=1e-3)
        assert all(frame["evidence"] is not None for frame in frames)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "give videos with --video=FILE[,FILE...], or a folder of them with --source=DIR"),
        (("--video=a.mp4", "--source=b"), "give videos with --video"),
        (("--video=nowhere.mp4",), "--video=nowhere.mp4 does not exist"),
        (("--source=nowhere",), "--source=nowhere is no folder"),
        (("--video=README.md", "--max_false_alarms=0"), "--max_false_alarms=0"),
    ],
)
def test_a_mistake_is_told_in_one_line(command, tmp_path, flags, message):
    result = command("predict", f"--workdir={tmp_path}", f"--output={tmp_path}/out", *flags)
    assert result.returncode == 2 and message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_detector_s_is_told(command, tmp_path):
    result = command("predict", f"--workdir={tmp_path}", "--video=README.md", f"--output={tmp_path}/out")
    assert result.returncode == 2 and f"no detector in {tmp_path}" in result.stderr
    assert len(result.stderr.splitlines()) == 1
