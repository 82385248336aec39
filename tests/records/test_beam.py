"""Conversion on engines that Apache Beam runs on, where they are installed; tools/test_beam.sh does that."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from deepfake_tfdata.records.output import LOCK_FILE
from tests.records.test_interruptions import SMALL_SHARDS

PYTHON = os.environ.get("DEEPFAKE_TFDATA_BEAM_PYTHON") or (find_spec("apache_beam") and sys.executable)
ENGINES = {
    "in this process": "",
    "in processes": "--direct_num_workers=2 --direct_running_mode=multi_processing",
    "on a Dask cluster": "--runner=apache_beam.runners.dask.dask_runner.DaskRunner",
}
needs_beam = pytest.mark.skipif(
    not PYTHON, reason="no apache-beam here, and DEEPFAKE_TFDATA_BEAM_PYTHON names no Python with it"
)


@pytest.fixture(scope="module")
def convert(convert_flags):
    """Runs the command, with Beam beside it."""

    def run(output: Path, *flags: str) -> subprocess.CompletedProcess:
        script = [PYTHON, "-m", "deepfake_tfdata.convert", *convert_flags, SMALL_SHARDS]
        # Dask's workers are daemons, which may not have processes of their own, unless told so.
        environment = {**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
        return subprocess.run(
            [*script, "--regions=full,mouth", f"--output={output}", *flags],
            capture_output=True,
            text=True,
            env=environment,
        )

    return run


@pytest.fixture(scope="module")
def local(convert, tmp_path_factory):
    output = tmp_path_factory.mktemp("local")
    result = convert(output)
    assert result.returncode == 0, result.stderr
    return output


def contents(folder: Path) -> dict[str, object]:
    """Every file's bytes, but for the ledger's times and the lock's process."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    del files[LOCK_FILE]
    lines = map(json.loads, files["ledger.jsonl"].splitlines())
    return {**files, "ledger.jsonl": [{**line, "seconds": None} for line in lines]}


@needs_beam
@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_writes_the_same_bytes_as_the_local_runner(engine, convert, local, tmp_path):
    if "Dask" in engine and subprocess.run([PYTHON, "-c", "import distributed"], stderr=-3).returncode:
        pytest.skip("no dask[distributed] beside Beam")
    result = convert(tmp_path, "--runner=beam", f"--beam_options={ENGINES[engine]}")
    assert result.returncode == 0, result.stderr
    assert contents(tmp_path) == contents(local)


@needs_beam
@pytest.mark.slow
def test_a_runner_that_beam_does_not_know_is_named_and_leaves_no_plan(convert, tmp_path):
    result = convert(tmp_path, "--runner=beam", "--beam_options=--runner=Abacus")
    assert result.returncode == 2, result.stderr
    assert "error: --beam_options=--runner=Abacus: Unexpected pipeline runner" in result.stderr
    assert not list(tmp_path.glob("beam_plan*"))


@pytest.mark.slow
@pytest.mark.skipif(find_spec("apache_beam") is not None, reason="Apache Beam is installed")
def test_without_beam_the_extra_is_named(convert_flags, command, tmp_path):
    result = command("convert", *convert_flags, f"--output={tmp_path}", "--runner=beam")
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith("error: --runner=beam needs Apache Beam")
