"""Verdicts on Apache Beam, where it is installed; tools/test_beam.sh does that."""

import json
import shutil
import subprocess

import pytest

from tests.records.test_beam import PYTHON, needs_beam


@needs_beam
@pytest.mark.slow
def test_beam_gives_the_verdicts_of_the_local_runner(workdir, ffpp_tree, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for name in ("020", "021"):
        shutil.copy(ffpp_tree / f"original_sequences/youtube/c23/videos/{name}.mp4", source)
    (source / "broken.mp4").write_text("no video")
    found = []
    for runner in ("local", "beam"):
        output = tmp_path / runner
        flags = [f"--workdir={workdir}", f"--source={source}", f"--output={output}", f"--runner={runner}"]
        script = [PYTHON, "-m", "deepfake_tfdata.predict", *flags]
        result = subprocess.run(script, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        values = {path.parent.name: json.loads(path.read_text()) for path in output.glob("*/verdict.json")}
        assert len(values) == 3 == len((output / "ledger.jsonl").read_text().splitlines())
        found.append({name: {**each, "command": ""} for name, each in values.items()})
    assert found[0] == found[1]
