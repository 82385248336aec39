"""Records in a bucket, in the environment that the [io] extra needs; tools/test_io.sh makes it."""

import os
import subprocess

import pytest

PYTHON = os.environ.get("DEEPFAKE_TFDATA_IO_PYTHON")


@pytest.mark.skipif(
    not PYTHON,
    reason="DEEPFAKE_TFDATA_IO_PYTHON names no Python with the [io] extra and moto; see tools/test_io.sh",
)
def test_records_from_bucket_to_bucket_are_those_of_local_folders(ffpp_tree, convert_flags, tmp_path):
    flags = [*convert_flags[1:], "--regions=full,mouth", "--limit=9"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    local = [PYTHON, "-m", "deepfake_tfdata.convert", convert_flags[0], *flags, f"--output={tmp_path}"]
    subprocess.run(local, check=True, env=environment)
    script = [PYTHON, "-m", "tests.records.s3_round_trip", str(ffpp_tree), str(tmp_path), *flags]
    result = subprocess.run(script, capture_output=True, text=True, timeout=300, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "round trip done" in result.stdout
