"""A store that hangs costs the videos that it holds back, and neither the run nor its end."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_download_that_hangs_is_given_up_and_holds_up_no_end():
    script = [sys.executable, "-m", "tests.records.stuck_downloads"]
    result = subprocess.run(script, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, result.stderr
    late = [
        f"{name} unreachable ram://stuck_downloads/{name} can't be downloaded: it took more than 1 seconds"
        for name in ("isdir", "stat", "copy")
    ]
    assert result.stdout.splitlines() == ["a ok ", *late, "b ok ", "ok", "closed"]
