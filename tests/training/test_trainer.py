"""What a run keeps, when it stops and what it counts, on a model of one weight."""

import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata.scoring.runs import MODEL_FILE
from deepfake_tfdata.training import summaries
from deepfake_tfdata.training.callbacks import Callbacks
from deepfake_tfdata.training.loop import Trainer
from deepfake_tfdata.training.options import LoopOptions, StepOptions
from deepfake_tfdata.training.stages import Stage
from deepfake_tfdata.training.step_plan import StepPlan

IDENTITIES = ("clip_id", "video_id", "manipulation", "target_id", "source_id")
BATCH_SIZE = 2
ONES = np.ones((BATCH_SIZE, 1), np.float32)


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """They would take longer than all else."""
    monkeypatch.setattr(summaries, "_pictures", lambda scores: {})


def one_weight(weight=0.0):
    """Its logit is the weight times the input."""
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(weight))
    return keras.Sequential([keras.Input((1,)), dense, keras.layers.Reshape(())])


def weight_of(model):
    return float(np.squeeze(model.get_weights()[0]))


def fit(workdir, model, labels=(1, 1), *, load=lambda: ONES, step=None, on_step=lambda note: None, **loop):
    """Trains with steps of the whole gradient, one an epoch, on inputs that are all 1.

    Of the validation's labels three quarters are 1.
    """
    trainer = Trainer(
        model,
        model,
        [Stage(0, False, 0, keras.optimizers.SGD(1.0))],
        tf.distribute.OneDeviceStrategy("/CPU:0"),
        workdir=workdir,
        plan=StepPlan(LoopOptions(**loop), 1),
        batch_size=BATCH_SIZE,
        step=step or StepOptions(),
    )
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False  # a batch is made when it is asked for
    batches = tf.data.Dataset.from_tensors(tf.constant(labels, tf.float32)).repeat().with_options(options)
    batches = batches.map(
        lambda labels: (tf.ensure_shape(tf.py_function(load, [], tf.float32), ONES.shape), labels)
    )
    names = [f"{number:03d}" for number in range(4)]
    clips = {"frames": np.ones((4, 1), np.float32), **dict.fromkeys(IDENTITIES, names)}
    validation = tf.data.Dataset.from_tensor_slices((clips, np.array([1, 1, 0, 1]))).batch(3)
    trainer.fit(iter(batches), validation, Callbacks(on_step, lambda: False, lambda epoch, step: []))
    return trainer


def test_the_best_epoch_is_kept_and_patience_counts_from_it(tmp_path):
    # The labels say 1 always, so that the weight grows; the validation's loss is least where it is log 3,
    # which the third epoch comes closest to.
    model, weights = one_weight(), []
    trainer = fit(
        tmp_path, model, on_step=lambda note: weights.append(weight_of(model)), epochs=9, patience=2
    )
    losses = [epoch["val_loss"] for epoch in trainer.state.history]
    assert np.argmin(losses) == np.argmin(np.abs(np.array(weights) - np.log(3))) == 2
    assert len(weights) == len(losses) == 3 + 2
    assert trainer.finished
    assert weight_of(keras.models.load_model(tmp_path / MODEL_FILE)) == weights[2]
    assert weight_of(model) == weights[4]


def test_smoothed_labels_are_what_the_loss_is_of(tmp_path):
    # A fifth of the labels 1 moves to the middle: 0.9.
    trainer = fit(tmp_path, one_weight(2.0), (1, 1), step=StepOptions(label_smoothing=0.2), epochs=1)
    fake = 1 / (1 + np.exp(-2.0))
    expected = -0.9 * np.log(fake) - 0.1 * np.log(1 - fake)
    assert trainer.state.history[0]["loss"] == pytest.approx(expected)


def test_the_wait_for_input_is_what_batches_take_and_not_what_the_device_takes(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def take(seconds):
        clock[0] += seconds
        return ONES

    class Work(keras.layers.Layer):
        def call(self, logits):
            with tf.control_dependencies([tf.py_function(lambda: take(1), [], tf.float32)]):
                return tf.identity(logits)

    model = one_weight()
    model.add(Work())
    trainer = fit(tmp_path, model, load=lambda: take(3), epochs=2, patience=2)
    for epoch in trainer.state.history:
        assert epoch["input_wait_fraction"] == pytest.approx(3 / 4)
        assert epoch["clips_per_second"] == pytest.approx(BATCH_SIZE / 4)
