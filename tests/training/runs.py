"""Trainings on logical devices in a process, or in two, and how they compare."""

import json
import socket

import pytest

from tests.processes import Forked

PROGRAM = "tests.training.train_on_devices"
# What is not single is mirrored over all devices of its process.
SINGLE = {"strategy": "single"}
MIRRORED = {"strategy": "mirrored"}


def train(devices, *trainings):
    """What came of training in one process with each of these options in turn."""
    return results(Forked(PROGRAM, str(devices), *map(json.dumps, trainings)))


def results(process):
    """Of each training its losses, its epochs, how its replicas agree, and when it ended."""
    output, errors = process.communicate()
    assert process.returncode == 0, errors[-3000:]
    return json.loads(output.splitlines()[-1])


def start_two(*arguments, **environment):
    """Two processes, with these variables, that find each other through TF_CONFIG: a chief and a worker."""
    first, second = (f"127.0.0.1:{port}" for port in free_ports(2))
    cluster = {"chief": [first], "worker": [second]}
    configs = [json.dumps({"cluster": cluster, "task": {"type": job, "index": 0}}) for job in cluster]
    return [Forked(*arguments, TF_CONFIG=config, **environment) for config in configs]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def assert_same_run(run, reference, tolerance):
    assert run["losses"] == pytest.approx(reference["losses"], rel=tolerance)
    for epoch, expected in zip(run["history"], reference["history"], strict=True):
        assert epoch["val_loss"] == pytest.approx(expected["val_loss"], rel=10 * tolerance)
    assert run["replica_difference"] == 0
