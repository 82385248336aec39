"""A training process that is killed goes on as if it had not been."""

import json
import random
import signal
import time

import numpy as np
import pytest

from tests.processes import Forked

FLAGS = [
    "--backbone=meso4",
    "--weights=none",
    "--lstm_units=8",
    "--dropout=0.3",
    "--batch_size=2",
    "--epochs=4",
    "--patience=9",
    "--schedule=cosine",
    "--ema=0.9",
    "--deterministic",
]
STEP_BY_STEP = ("--checkpoint_steps=1",)
# Of an epoch's six steps: calls of 3, 1 and 2.
IN_CALLS = ("--checkpoint_steps=4", "--steps_per_call=3")


def start(records, workdir, how=STEP_BY_STEP):
    return Forked("deepfake_tfdata.train", f"--data={records}", f"--workdir={workdir}", *FLAGS, *how)


def newest_step(workdir):
    return max(
        (int(path.stem[5:]) for path in (workdir / "checkpoints").glob("step-?????????.npz")), default=0
    )


def start_and_wait(records, workdir, steps, timeout=120):
    """A process that has saved that many steps of its own, or is at its end."""
    goal = newest_step(workdir) + steps
    process = start(records, workdir)
    deadline = time.monotonic() + timeout
    while newest_step(workdir) < goal and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def final_state(workdir):
    with np.load(workdir / "checkpoints" / "step-000000024.npz") as file:
        return {name: file[name] for name in file.files if name != "state"}


def metrics(workdir):
    lines = map(json.loads, (workdir / "metrics.jsonl").read_text().splitlines())
    return [{key: line[key] for key in ("step", "loss", "val_loss", "val_auc")} for line in lines]


def session_steps(workdir):
    return [session["step"] for session in json.loads((workdir / "config.json").read_text())["sessions"]]


@pytest.fixture(scope="module")
def whole_run(resized_records, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("whole")
    output, errors = start(resized_records, workdir, IN_CALLS).communicate(timeout=300)
    assert "mouth/attention" in output, errors
    return workdir


@pytest.mark.slow
def test_killed_anywhere_it_ends_bit_for_bit_where_it_would_have(resized_records, whole_run, tmp_path):
    process = start_and_wait(resized_records, tmp_path, 3)
    time.sleep(random.uniform(0, 0.05))
    process.kill()
    process.communicate()
    process = start_and_wait(resized_records, tmp_path, 2)
    process.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - asked < 20
    # A fast machine may be in the evaluation (Ctrl-C's status) or at the end.
    if process.returncode not in (0, 130):
        assert process.returncode == 143
        assert "run the same command again" in output
    output, errors = start(resized_records, tmp_path).communicate(timeout=300)
    assert "mouth/attention" in output, errors
    expected, found = final_state(whole_run), final_state(tmp_path)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
    assert metrics(tmp_path) == metrics(whole_run)
    steps = session_steps(tmp_path)
    assert steps[0] == 0
    assert steps == sorted(set(steps))
    assert len(steps) > 1


@pytest.mark.slow
def test_a_finished_run_is_not_trained_again(resized_records, whole_run):
    before = final_state(whole_run)
    output, errors = start(resized_records, whole_run).communicate(timeout=300)
    assert "mouth/attention" in output, errors
    assert all(np.array_equal(before[name], value) for name, value in final_state(whole_run).items())
    assert session_steps(whole_run) == [0]
