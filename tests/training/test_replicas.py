"""Two logical CPU devices stand in for two GPUs, two processes on loopback for two machines."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "train_on_devices.py"
EVERYTHING = {
    "schedule": "cosine",
    "warmup_epochs": 1,
    "clip_norm": 1.0,
    "ema": 0.9,
}


def start(devices, changes, **environment):
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(devices), json.dumps(changes)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
    )


def result(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-3000:]
    return json.loads(output.splitlines()[-1])


def train(records, workdir, devices, **changes):
    return result(start(devices, {"data": str(records), "workdir": str(workdir), **changes}))


@pytest.fixture(scope="module")
def one_device(records, tmp_path_factory):
    return train(records, tmp_path_factory.mktemp("one"), 1)


def assert_same_run(run, reference, tolerance):
    assert run["losses"] == pytest.approx(reference["losses"], rel=tolerance)
    for epoch, expected in zip(run["history"], reference["history"], strict=True):
        assert epoch["val_loss"] == pytest.approx(expected["val_loss"], rel=10 * tolerance)
    assert run["replica_difference"] == 0


@pytest.mark.parametrize("steps_per_call", [1, 2])
def test_two_replicas_train_as_one_device_does(records, tmp_path, one_device, steps_per_call):
    # An epoch has three steps: its second call is a shorter one.
    two = train(records, tmp_path, 2, strategy="mirrored", steps_per_call=steps_per_call)
    assert two["replicas"] == 2
    assert len(set(one_device["losses"])) == 6
    assert_same_run(two, one_device, 5e-4)


def test_two_processes_train_as_one_device_does(records, tmp_path, one_device):
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    changes = {"data": str(records), "workdir": str(tmp_path), "steps_per_call": 2}
    processes = [
        start(
            1,
            changes,
            TF_CONFIG=json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": i}}),
        )
        for i in range(2)
    ]
    first, second = map(result, processes)
    assert first["replicas"] == 2
    assert first["losses"] == second["losses"]
    assert_same_run(first, one_device, 5e-4)
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2


def test_half_precision_and_every_option_of_the_optimizer_hold_on_replicas(records, tmp_path):
    options = {
        "precision": "mixed_float16",
        "label_smoothing": 0.1,
        **EVERYTHING,
    }
    one, two = (
        train(records, tmp_path / str(devices), devices, strategy=strategy, **options)
        for devices, strategy in ((1, "single"), (2, "mirrored"))
    )
    assert_same_run(two, one, 2e-2)
    assert [epoch["learning_rate"] for epoch in one["history"]] == pytest.approx(
        [epoch["learning_rate"] for epoch in two["history"]]
    )


def test_xla_trains_as_the_plain_step_does(records, tmp_path, one_device):
    assert_same_run(train(records, tmp_path, 1, jit_compile=True), one_device, 1e-3)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_the_backbone_is_frozen_first_and_the_run_resumes_in_its_second_stage(records, tmp_path):
    frozen_first = {"freeze_epochs": 1, "finetune_learning_rate": 1e-4, "epochs": 3}
    whole = train(records, tmp_path / "whole", 1, **frozen_first)
    assert [epoch["learning_rate"] for epoch in whole["history"]] == pytest.approx([5e-4, 5e-5, 5e-5])
    train(records, tmp_path / "parts", 1, **{**frozen_first, "epochs": 1})
    rest = train(records, tmp_path / "parts", 1, **frozen_first)
    assert rest["losses"] == pytest.approx(whole["losses"][3:], rel=1e-4)
