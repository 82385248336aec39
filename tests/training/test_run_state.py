"""What a run has behind it, and how that is told."""

import json

import pytest

from deepfake_tfdata.training.run_state import RunState, describe_epoch

METRICS = {"epoch": 1, "loss": 0.5, "val_loss": 0.6, "val_auc": 0.75}


def test_an_epochs_rates_are_its_own():
    state = RunState()
    for _ in range(2):
        state.add_step(0.5, seconds=0.1, waited=0.02)
        state.add_step(0.4, seconds=0.3, waited=0.08)
        rates = state.rates(batch_size=8)
        assert rates == pytest.approx({"clips_per_second": 40, "input_wait_fraction": 0.25})
        state.end_epoch(METRICS)


def test_it_goes_through_json_inside_an_epoch(tmp_path):
    state = RunState()
    state.end_epoch(METRICS)
    state.end_epoch({**METRICS, "epoch": 2, "val_auc": None})
    state.add_step(0.4, seconds=0.3, waited=0.08)
    state.stage = 1
    assert RunState(**json.loads(json.dumps(state.to_dict()))) == state
    state.write_metrics(tmp_path / "metrics.jsonl")
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == state.history


@pytest.mark.parametrize(("auc", "shown"), [(0.75, "val_auc 0.750,"), (0.0, "0.000"), (None, "undefined")])
def test_an_epoch_is_described(auc, shown):
    rates = {"clips_per_second": 40.0, "input_wait_fraction": 0.25}
    text = describe_epoch({**METRICS, **rates, "val_auc": auc})
    assert text.startswith("epoch 1: loss 0.5000, val_loss 0.6000, ")
    assert shown in text
    assert text.endswith("40.0 clips/s, 25.0% waiting for input")
