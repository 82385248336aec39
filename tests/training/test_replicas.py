"""Two logical CPU devices stand in for two GPUs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "losses.py"


def losses(records, devices, precision):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    arguments = [sys.executable, str(SCRIPT), str(records), str(devices), precision]
    result = subprocess.run(arguments, capture_output=True, text=True, env=environment, timeout=300)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("mixed_float16", 2e-2)])
def test_two_replicas_train_as_one_device_does(records, precision, tolerance):
    one, two = (losses(records, devices, precision) for devices in (1, 2))
    assert two["losses"] == pytest.approx(one["losses"], rel=tolerance)
    assert one["losses"][0] != one["losses"][-1]
    assert two["val_loss"] == pytest.approx(one["val_loss"], rel=10 * tolerance)
    assert two["replica_difference"] == 0
