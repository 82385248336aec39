"""Two real processes on loopback stand in for two machines."""

import json
import signal
import time

import pytest

from tests.training.runs import start_two
from tests.training.test_interruptions import newest_step

pytestmark = pytest.mark.slow

FLAGS = [
    "--backbone=meso4",
    "--weights=none",
    "--lstm_units=8",
    "--batch_size=4",
    "--epochs=60",
    "--patience=99",
    "--steps_per_call=2",
    "--checkpoint_steps=100",
]


def test_every_clip_is_scored_once_though_the_shares_are_uneven():
    processes = start_two("tests.training.score_on_workers")
    outputs, errors = zip(*[process.communicate(timeout=120) for process in processes], strict=True)
    # Both, for of two that wait for each other the one that broke tells why.
    assert [process.returncode for process in processes] == [0, 0], "\n".join(text[-3000:] for text in errors)
    results = [json.loads(output.splitlines()[-1]) for output in outputs]
    assert [len(result["own"]) for result in results] == [4, 3]
    for result in results:
        assert result["logits"] == [0, 10, 20, 30, 40, 50, 60]
        assert result["labels"] == [0, 1, 0, 1, 0, 1, 0]
        assert result["attention"] == [[clip, -clip] for clip in range(7)]
        assert result["any"] == [False, True, True]


def start_training(records, workdir):
    return start_two("deepfake_tfdata.train", f"--data={records}", f"--workdir={workdir}", *FLAGS)


def test_a_signal_to_one_worker_saves_once_and_ends_both(resized_records, tmp_path):
    processes = start_training(resized_records, tmp_path)
    deadline = time.monotonic() + 120
    while newest_step(tmp_path) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    # Not the one that writes the files.
    processes[1].send_signal(signal.SIGTERM)
    results = [(*process.communicate(timeout=60), process.returncode) for process in processes]
    for output, errors, status in results:
        assert status == 143, errors[-3000:]
        assert "run the same command again" in output
    stopped_at = newest_step(tmp_path)
    assert 3 <= stopped_at < 180

    processes = start_training(resized_records, tmp_path)
    while newest_step(tmp_path) <= stopped_at and time.monotonic() < deadline + 120:
        time.sleep(0.05)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 143, errors[-3000:]
        assert f"resumed from {tmp_path} at step {stopped_at}" in errors
