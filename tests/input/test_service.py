"""A tf.data service: a dispatcher and two workers, real processes on loopback."""

import multiprocessing
import os
import signal
import socket
import time
from pathlib import Path

import pytest
import tensorflow as tf

from deepfake_tfdata import load_clips
from deepfake_tfdata.errors import UserError
from tests.processes import Forked

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service():
    arguments = ["--port=0", "--host=127.0.0.1"]
    first = start(*arguments, "--workers=1")
    address = first.stdout.readline().split()[-1]
    second = start("--host=127.0.0.1", f"--dispatcher={address.removeprefix('grpc://')}")
    assert address in second.stdout.readline()
    yield address
    for process in (second, first):
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def start(*arguments):
    return Forked("tools.data_service", *arguments)


def batches(records, **options):
    return [
        (tuple(features["clip_id"].numpy()), features["frames"].numpy().tobytes(), tuple(labels.numpy()))
        for features, labels in load_clips(records, "mouth", "train", 5, **options)
    ]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "shuffle": True,
            "augment": "all",
            "num_epochs": 3,
            "drop_remainder": True,
            "seed": 4,
            "fold": "2/3",  # of shards of all splits
        },
    ],
)
def test_two_workers_make_every_batch_once(service, records, options):
    expected = batches(records, **options)
    assert sorted(batches(records, data_service=service, **options)) == sorted(expected)


def test_training_from_a_service(service, records, command, tmp_path):
    flags = [f"--data={records}", f"--workdir={tmp_path}", f"--data_service={service}", "--batch_size=4"]
    small = ["--backbone=meso4", "--weights=none", "--epochs=1", "--lstm_units=8", "--frame_size=32"]
    result = command("train", *flags, *small)
    assert result.returncode == 0, result.stderr
    assert "mouth/attention" in result.stdout


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("localhost:1", "no address"),
        ("grpc://localhost", "no address"),
        ("grpc://127.0.0.1:9", "nobody answers"),
    ],
)
def test_a_wrong_address_is_named(records, address, message):
    with pytest.raises(UserError, match=message):
        load_clips(records, "mouth", "train", 2, data_service=address)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_service_stops_while_a_worker_is_at_work(number):
    process = start("--port=0", "--host=127.0.0.1")
    address = process.stdout.readline().split()[-1]
    forked = multiprocessing.get_context("forkserver")
    client = forked.Process(target=ask_for_what_never_comes, args=(address,))
    client.start()
    deadline = time.monotonic() + 120
    before = processor_seconds(process.pid)
    while processor_seconds(process.pid) < before + 2:  # the worker searches
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(number)
    assert process.wait(timeout=60) == 0
    client.kill()


def ask_for_what_never_comes(address):
    mode = tf.data.experimental.service.ShardingPolicy.OFF
    none_of_many = tf.data.Dataset.range(10**15).filter(lambda number: number < 0)
    next(iter(none_of_many.apply(tf.data.experimental.service.distribute(mode, address))))


def processor_seconds(pid):
    """Of all threads, by /proc/PID/stat: fields 14 and 15, in ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(f"--port={port}")
        _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert [line for line in errors.splitlines() if "error:" in line] == errors.splitlines()[-1:]
    assert f"--port={port} can't be served" in errors
