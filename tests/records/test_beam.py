"""Conversion on Apache Beam's DirectRunner, in an environment that has it; tools/test_beam.sh makes one."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.records.test_interruptions import SMALL_SHARDS, shards, statuses

PYTHON = os.environ.get("DEEPFAKE_TFDATA_BEAM_PYTHON") or (find_spec("apache_beam") and sys.executable)


@pytest.mark.skipif(
    not PYTHON, reason="no apache-beam here, and DEEPFAKE_TFDATA_BEAM_PYTHON names no Python with it"
)
def test_beam_writes_the_same_bytes_as_the_local_runner(convert_flags, ffpp_tree, tmp_path):
    local, beam = tmp_path / "local", tmp_path / "beam"
    for output, *flags in ((local,), (beam, "--runner=beam", "--beam_options=--direct_num_workers=2")):
        script = [
            PYTHON,
            "-m",
            "deepfake_tfdata.convert",
            *convert_flags,
            SMALL_SHARDS,
            "--regions=full,mouth",
        ]
        result = subprocess.run([*script, f"--output={output}", *flags], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
    assert shards(beam) == shards(local)
    assert statuses(beam) == statuses(local)
    for name in ("conversion.json", "contact_sheet.html"):
        assert (beam / name).read_bytes() == (local / name).read_bytes()
    assert {path.name for path in beam.iterdir()} == {path.name for path in local.iterdir()}


@pytest.mark.slow
@pytest.mark.skipif(find_spec("apache_beam") is not None, reason="Apache Beam is installed")
def test_without_beam_the_extra_is_named(convert_flags, command, tmp_path):
    result = command("convert", *convert_flags, f"--output={tmp_path}", "--runner=beam")
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith("error: --runner=beam needs Apache Beam")
