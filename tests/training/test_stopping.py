"""A run that is asked to stop loses nothing, in a validation as well."""

import json
import signal
import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.assembly import assemble_detector
from deepfake_tfdata.training.callbacks import Callbacks
from deepfake_tfdata.training.checkpoints import list_checkpoints
from deepfake_tfdata.training.loop import Trainer
from deepfake_tfdata.training.optimization import build_optimizer
from deepfake_tfdata.training.options import LoopOptions, OptimizerOptions, StepOptions
from deepfake_tfdata.training.stages import Stage
from deepfake_tfdata.training.step_plan import StepPlan
from deepfake_tfdata.training.stopping import StopRequested, until_stopped
from tests.processes import Forked

FRAMES = np.random.default_rng(0).integers(0, 256, (8, 2, 8, 8, 3), np.uint8)
LABELS = np.array([0, 1, 0, 1, 0, 1, 0, 1])
STRATEGY = tf.distribute.OneDeviceStrategy("/CPU:0")
STEPS = 2  # an epoch


class Workers:
    """Two that meet at every sum."""

    def __init__(self):
        self.barrier, self.values = threading.Barrier(2, timeout=20), {}

    def sum(self, values):
        self.values[threading.get_ident()] = values
        self.barrier.wait()
        total = sum(self.values.values())
        self.barrier.wait()
        return total


def passes(batches, stops):
    """What each of two workers got of its batches before the pass ended, and whether it was stopped."""
    workers, results = Workers(), [None, None]

    def go_through(index):
        got = []
        try:
            for batch in until_stopped(batches[index], stops[index], workers):
                got.append(batch)
            results[index] = got, False
        except StopRequested:
            results[index] = got, True

    threads = [threading.Thread(target=go_through, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def never():
    return False


def test_workers_with_uneven_shares_come_to_the_end_together():
    assert passes([[1, 2, 3], [4]], [never, never]) == [([1, 2, 3], False), ([4], False)]


def test_one_that_is_asked_stops_all_after_the_same_batch():
    asked = iter([False, False, True])
    assert passes([[1], [4, 5, 6]], [never, lambda: next(asked)]) == [([1], True), ([4, 5], True)]


def trainer(workdir, epochs=2, stages=((0, False),)):
    keras.utils.set_random_seed(0)
    with STRATEGY.scope():
        inputs = keras.Input((8, 8, 3), dtype="uint8")
        x = keras.layers.BatchNormalization(name="norm")(keras.layers.Rescaling(1 / 255)(inputs))
        backbone = keras.Model(inputs, keras.layers.Flatten()(x), name="backbone")
        model = assemble_detector(backbone, "control", 2, lstm_units=2, dropout=0.3)
        options = OptimizerOptions(learning_rate=0.1)
        stages = [Stage(*stage, 0, build_optimizer(options, 16, STEPS, epochs, False)) for stage in stages]
    plan = StepPlan(LoopOptions(epochs=epochs, patience=9), STEPS)
    options = {"workdir": workdir, "plan": plan, "batch_size": 4, "step": StepOptions(), "ema": 0.5}
    return Trainer(model, model, stages, STRATEGY, **options)


def fit(run, should_stop=never, on_batch=lambda: None):
    """Trains on from the step it is at; gives the steps it loaded batches of."""
    loaded = []

    def batches():
        for step in range(run.step, 99):
            loaded.append(step)
            half = slice(4 * (step % 2), 4 * (step % 2) + 4)
            yield FRAMES[half], LABELS[half]

    def validation():
        for start in range(0, 8, 4):
            on_batch()
            half = slice(start, start + 4)
            yield {"frames": FRAMES[half]}, LABELS[half]

    spec = tf.TensorSpec((4, 2, 8, 8, 3), tf.uint8), tf.TensorSpec((4,), tf.int64)
    dataset = tf.data.Dataset.from_generator(batches, output_signature=spec)
    spec = {"frames": spec[0]}, spec[1]
    callbacks = Callbacks(lambda note: None, should_stop, lambda epoch, step: [])
    run.fit(
        iter(STRATEGY.experimental_distribute_dataset(dataset)),
        tf.data.Dataset.from_generator(validation, output_signature=spec),
        callbacks,
    )
    return loaded


def figures(run):
    return [
        {name: line[name] for name in ("step", "loss", "val_loss", "val_auc")} for line in run.state.history
    ]


def test_a_validation_that_is_stopped_is_made_again_and_nothing_else_is(tmp_path):
    whole, first = trainer(tmp_path / "whole"), trainer(tmp_path / "parts")
    fit(whole)
    validated = []
    # The second batch of the first validation is loaded when it is asked.
    fit(first, lambda: len(validated) >= 2, lambda: validated.append(0))
    assert (first.step, first.state.epoch) == (STEPS, 0)
    assert [path.name for path in list_checkpoints(tmp_path / "parts" / "checkpoints")] == [
        "step-000000002.npz"
    ]
    assert not (tmp_path / "parts" / "metrics.jsonl").exists()

    second = trainer(tmp_path / "parts")
    assert second.resume()
    assert (second.step, second.state.epoch) == (STEPS, 0)
    for stopped, resumed in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(resumed, stopped)  # the last ones, not their average
    assert fit(second)[0] == STEPS
    assert figures(second) == figures(whole)
    for one, other in zip(whole.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_fewer_epochs_than_were_made_are_a_mistake_or_leave_the_best_model_as_it_is(tmp_path):
    stages = (0, True), (1, False)
    fit(trainer(tmp_path, stages=stages))
    best = (tmp_path / "model.keras").read_bytes()
    shorter = trainer(tmp_path, epochs=0, stages=stages)
    assert shorter.resume()
    fit(shorter)
    assert (tmp_path / "model.keras").read_bytes() == best
    with pytest.raises(UserError, match=r"--epochs=1 ends with it frozen: use more than --freeze_epochs"):
        trainer(tmp_path, epochs=1, stages=((0, True),)).resume()


@pytest.mark.slow
def test_a_signal_in_the_validation_ends_the_process_with_its_epoch_saved(resized_records, tmp_path):
    process = Forked(
        "tests.training.train_with_slow_validation",
        f"--data={resized_records}",
        f"--workdir={tmp_path}",
        *("--backbone=meso4", "--weights=none", "--lstm_units=4", "--batch_size=6", "--epochs=2"),
    )
    deadline = time.monotonic() + 200
    while not (tmp_path / "validating").exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 143, errors[-3000:]
    assert "run the same command again" in output
    assert [path.name for path in list_checkpoints(tmp_path / "checkpoints")] == ["step-000000002.npz"]
    assert not (tmp_path / "metrics.jsonl").exists()
    config = json.loads((tmp_path / "config.json").read_text())
    assert [session["step"] for session in config["sessions"]] == [0]
