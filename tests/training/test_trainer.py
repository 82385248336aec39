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
from deepfake_tfdata.training.workers import Workers

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


def fit(
    workdir,
    model,
    labels=(1, 1),
    *,
    validated=(1, 1, 0, 1),
    first_epochs=(0,),
    load=lambda: ONES,
    step=None,
    ema=0.0,
    skipped_clips=0,
    on_step=lambda note: None,
    **loop,
):
    """Trains with steps of the whole gradient, one an epoch, on inputs that are all 1.

    `validated` are the labels of the validation, `first_epochs` those of the stages.
    """
    trainer = Trainer(
        model,
        model,
        [Stage(epoch, False, 0, keras.optimizers.SGD(1.0)) for epoch in first_epochs],
        tf.distribute.OneDeviceStrategy("/CPU:0"),
        workdir=workdir,
        plan=StepPlan(LoopOptions(**loop), 1),
        batch_size=BATCH_SIZE,
        step=step or StepOptions(),
        ema=ema,
        skipped_clips=skipped_clips,
    )
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False  # a batch is made when it is asked for
    batches = tf.data.Dataset.from_tensors(tf.constant(labels, tf.float32)).repeat().with_options(options)
    batches = batches.map(
        lambda labels: (tf.ensure_shape(tf.py_function(load, [], tf.float32), ONES.shape), labels)
    )
    names = [f"{number:03d}" for number in range(4)]
    clips = {"frames": np.ones((4, 1), np.float32), **dict.fromkeys(IDENTITIES, names)}
    validation = tf.data.Dataset.from_tensor_slices((clips, np.array(validated))).batch(3)
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
    for number in ("epoch", "step"):
        assert [epoch[number] for epoch in trainer.state.history] == [1, 2, 3, 4, 5]


def test_patience_ends_the_last_stage_alone_and_counts_anew_in_it(tmp_path):
    # The weight begins at the validation's best and grows, so that no later epoch is better than the first.
    trainer = fit(tmp_path, one_weight(np.log(3)), first_epochs=(0, 4), epochs=9, patience=2)
    losses = [epoch["val_loss"] for epoch in trainer.state.history]
    assert losses == sorted(losses)
    assert len(losses) == 4 + 2


def test_the_average_is_what_is_validated_and_saved(tmp_path):
    model = one_weight()
    trainer = fit(tmp_path, model, ema=0.5, epochs=1)
    # The first step's momentum is a tenth.
    average = 0.9 * weight_of(model)
    assert weight_of(keras.models.load_model(tmp_path / MODEL_FILE)) == pytest.approx(average)
    fake = 1 / (1 + np.exp(-average))
    assert trainer.state.history[0]["val_loss"] == pytest.approx(-np.log([fake, fake, 1 - fake, fake]).mean())


def test_a_validation_of_one_class_ends_nothing_and_skipped_clips_are_told(tmp_path):
    notes = []
    trainer = fit(
        tmp_path, one_weight(), validated=(1, 1, 1, 1), skipped_clips=3, on_step=notes.append, epochs=2
    )
    assert [epoch["val_auc"] for epoch in trainer.state.history] == [None, None]
    assert [epoch["skipped_clips"] for epoch in trainer.state.history] == [3, 3]
    assert [epoch["learning_rate"] for epoch in trainer.state.history] == [1, 1]
    assert len(notes) == 2
    assert "val_auc" not in notes[1]


def test_a_worker_that_is_not_the_chief_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Workers, "chief", False)
    trainer = fit(tmp_path, one_weight(), epochs=1, profile_steps="1,1")
    assert trainer.finished
    assert trainer.best_scores
    assert fit(tmp_path, one_weight(), epochs=0).finished
    assert not list(tmp_path.iterdir())


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
