"""The loop itself, on a detector so small that it runs in this process."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.training.checkpoints import list_checkpoints
from deepfake_tfdata.training.loop import Callbacks, LoopConfig, Trainer
from deepfake_tfdata.training.stages import Stage

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 2, 32, 32, 3), np.uint8)
# Its learning rate is a tenth of the step's number, from 0.
RATES = keras.optimizers.schedules.PolynomialDecay(0.0, 100, end_learning_rate=10.0)


def train(workdir, batches, validation=(), steps_per_call=1, should_stop=lambda: False, **changes):
    """Trains one epoch on (frames, labels)."""
    config = {
        "workdir": workdir,
        "epochs": 1,
        "patience": 1,
        "batch_size": 2,
        "steps_per_epoch": 8,
        "steps_per_call": steps_per_call,
        "checkpoint_steps": 100,
        "label_smoothing": 0.0,
        "accumulation": 1,
        "jit_compile": False,
    }
    strategy = tf.distribute.OneDeviceStrategy("/CPU:0")
    with strategy.scope():
        model = build_detector("meso4", "control", 2, 32, "none", lstm_units=4)
        stage = Stage(0, False, 0, keras.optimizers.SGD(RATES))
    trainer = Trainer(model, model, [stage], strategy, LoopConfig(**{**config, **changes}))
    callbacks = Callbacks(lambda note: None, should_stop, lambda epoch, step: [f"clip of {epoch}, {step}"])
    trainer.fit(iter(strategy.experimental_distribute_dataset(batches)), validation, callbacks)
    return trainer


def batches_with(labels):
    """A batch for each value, which is all its labels."""
    batch = tf.data.Dataset.from_tensor_slices(np.float32(labels))
    return batch.map(lambda label: (tf.constant(FRAMES), tf.repeat(label, 2)))


@pytest.mark.parametrize("steps_per_call", [1, 4, 8])
def test_a_loss_that_is_not_finite_names_its_step_rate_and_clips(tmp_path, steps_per_call):
    labels = [0, 0, 0, 0, 0, np.nan, 0, 0]
    with pytest.raises(UserError) as error:
        train(tmp_path, batches_with(labels), steps_per_call=steps_per_call)
    assert "the loss is nan at step 6 with learning rate 0.5;" in str(error.value)
    assert "clip of 0, 5" in str(error.value)
    assert not list_checkpoints(tmp_path / "checkpoints")


def test_calls_end_where_a_checkpoint_is_due(tmp_path):
    asked = []
    trainer = train(
        tmp_path,
        batches_with([0] * 8),
        steps_per_call=4,
        checkpoint_steps=3,
        should_stop=lambda: asked.append(0) or len(asked) == 2,
    )
    assert trainer.step == 6
    names = [path.name for path in list_checkpoints(tmp_path / "checkpoints")]
    assert names == ["step-000000003.npz", "step-000000006.npz"]
