"""Two logical CPU devices stand in for two GPUs, two processes on loopback for two machines."""

import json

import pytest

from tests.processes import OPTIMIZE_GRAPHS
from tests.training.runs import MIRRORED, PROGRAM, SINGLE, assert_same_run, results, start_two, train

pytestmark = pytest.mark.slow

HALF = {
    "precision": "mixed_float16",
    "label_smoothing": 0.1,
    "schedule": "cosine",
    "warmup_epochs": 1,
    "clip_norm": 1.0,
    "ema": 0.9,
}
FROZEN_FIRST = {"freeze_epochs": 1, "finetune_learning_rate": 1e-4, "epochs": 3, **SINGLE}
TRAININGS = {
    "plain": {**SINGLE, "epochs": 1},
    "XLA": {**SINGLE, "epochs": 1, "jit_compile": True},
    "one device": {**HALF, **SINGLE},
    "two devices": {**HALF, **MIRRORED, "steps_per_call": 2},
    "frozen first": FROZEN_FIRST,
    "frozen": {**FROZEN_FIRST, "epochs": 1, "workdir": "in parts"},
    "the rest": {**FROZEN_FIRST, "workdir": "in parts"},
}


@pytest.fixture(scope="module")
def runs(records, resized_records, tmp_path_factory):
    """All of them one after the other, in one process with two devices."""
    folder = tmp_path_factory.mktemp("runs")
    # What freezes takes the records that cost less to trace.
    trainings = [
        {
            **changes,
            "data": str(resized_records if "freeze_epochs" in changes else records),
            "workdir": str(folder / changes.get("workdir", name)),
        }
        for name, changes in TRAININGS.items()
    ]
    return dict(zip(TRAININGS, train(2, *trainings), strict=True))


def test_two_replicas_train_as_one_device_does_in_half_precision_and_with_every_option(runs):
    # An epoch has three steps: its second call is a shorter one.
    one, two = runs["one device"], runs["two devices"]
    assert (one["replicas"], two["replicas"]) == (1, 2)
    assert len(set(one["losses"])) == 6
    assert_same_run(two, one, 1e-3)  # processors that compute in half precision round more
    assert [epoch["learning_rate"] for epoch in one["history"]] == pytest.approx(
        [epoch["learning_rate"] for epoch in two["history"]]
    )


def test_two_processes_train_as_one_device_does(runs, records, tmp_path):
    changes = {**HALF, "data": str(records), "workdir": str(tmp_path), "steps_per_call": 2}
    processes = start_two(PROGRAM, "1", json.dumps(changes), **{OPTIMIZE_GRAPHS: "1"})
    (first,), (second,) = map(results, processes)
    assert first["replicas"] == 2
    assert first["losses"] == second["losses"]
    assert_same_run(first, runs["one device"], 1e-3)  # as above
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2


def test_xla_trains_as_the_plain_step_does(runs):
    assert_same_run(runs["XLA"], runs["plain"], 1e-3)


def test_the_backbone_is_frozen_first_and_the_run_resumes_in_its_second_stage(runs):
    whole = runs["frozen first"]
    assert [epoch["learning_rate"] for epoch in whole["history"]] == pytest.approx([1.5e-4, 5e-5, 5e-5])
    assert runs["the rest"]["losses"] == pytest.approx(whole["losses"][3:], rel=1e-4)
