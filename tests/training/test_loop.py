"""The loop itself, on a detector so small that it runs in this process."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.scoring.clip_scores import ClipScores
from deepfake_tfdata.training import loop
from deepfake_tfdata.training.callbacks import Callbacks
from deepfake_tfdata.training.checkpoints import list_checkpoints
from deepfake_tfdata.training.loop import Trainer
from deepfake_tfdata.training.options import LoopOptions, StepOptions
from deepfake_tfdata.training.stages import Stage
from deepfake_tfdata.training.step_plan import StepPlan
from deepfake_tfdata.training.summaries import Summaries

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 2, 32, 32, 3), np.uint8)
# Its learning rate is a tenth of the step's number, from 0.
RATES = keras.optimizers.schedules.PolynomialDecay(0.0, 100, end_learning_rate=10.0)


def step_plan(steps_per_epoch=8, **changes):
    return StepPlan(
        LoopOptions(**{"epochs": 1, "patience": 1, "checkpoint_steps": 100, **changes}), steps_per_epoch
    )


def train(workdir, batches, validation=(), should_stop=lambda: False, validated_videos=(), **changes):
    """Trains one epoch on (frames, labels)."""
    strategy = tf.distribute.OneDeviceStrategy("/CPU:0")
    with strategy.scope():
        model = build_detector("meso4", "attention", 2, 32, "none", lstm_units=4)
        stage = Stage(0, False, 0, keras.optimizers.SGD(RATES))
    trainer = Trainer(
        model,
        model,
        [stage],
        strategy,
        workdir=workdir,
        plan=step_plan(**changes),
        batch_size=2,
        step=StepOptions(),
        validated_videos=validated_videos,
    )
    callbacks = Callbacks(lambda note: None, should_stop, lambda epoch, step: [f"clip of {epoch}, {step}"])
    trainer.fit(iter(strategy.experimental_distribute_dataset(batches)), validation, callbacks)
    return trainer


def batches_with(labels):
    """A batch for each value, which is all its labels."""
    batch = tf.data.Dataset.from_tensor_slices(np.float32(labels))
    return batch.map(lambda label: (tf.constant(FRAMES), tf.repeat(label, 2)))


@pytest.mark.slow
@pytest.mark.parametrize("steps_per_call", [1, 4, 8])
def test_a_loss_that_is_not_finite_names_its_step_rate_and_clips(tmp_path, steps_per_call):
    labels = [0, 0, 0, 0, 0, np.nan, 0, 0]
    with pytest.raises(UserError) as error:
        train(tmp_path, batches_with(labels), steps_per_call=steps_per_call)
    assert "the loss is nan at step 6 with learning rate 0.5;" in str(error.value)
    assert "clip of 0, 5" in str(error.value)
    assert not list_checkpoints(tmp_path / "checkpoints")


def test_no_epochs_save_the_model_as_it_was_built_and_never_over_a_trained_one(tmp_path):
    trainer = train(tmp_path, batches_with([0]), epochs=0)
    saved = keras.models.load_model(tmp_path / "model.keras")
    for ours, built in zip(saved.get_weights(), trainer.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, built)
    (tmp_path / "model.keras").write_text("trained")
    trainer.state.history.append({})
    trainer.fit(iter([]), (), Callbacks(lambda note: None, lambda: False, lambda epoch, step: []))
    assert (tmp_path / "model.keras").read_text() == "trained"


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


@pytest.mark.parametrize(
    ("profile_steps", "calls"),
    [
        ("", [4, 3, 3]),
        ("3,6", [2, 4, 1, 3]),
        ("6,9", [4, 1, 2, 3]),
        ("1,1", [1, 4, 2, 3]),
    ],
)
def test_a_profile_is_a_call_of_its_own(profile_steps, calls):
    plan = step_plan(10, checkpoint_steps=7, steps_per_call=4, profile_steps=profile_steps)
    step, made = 0, []
    while step < 10:
        count, profiled = plan.next_call(step)
        assert profiled == (profile_steps.startswith(f"{step + 1},"))
        made.append(count)
        step += count
    assert made == calls


def test_a_profile_may_go_beyond_the_runs_end_but_not_begin_there():
    assert step_plan(5, epochs=2, profile_steps="10,12").next_call(9) == (1, True)
    with pytest.raises(UserError, match="--profile_steps=11,12 begins after the run's 10 steps"):
        step_plan(5, epochs=2, profile_steps="11,12")


@pytest.mark.parametrize("text", ["3", "3,2", "0,4", "a,b", "1,2,3"])
def test_a_range_of_steps_that_is_none_is_refused(text):
    assert LoopOptions(profile_steps="3,4").profiled == (3, 4)
    with pytest.raises(UserError, match=f"--profile_steps={text} "):
        LoopOptions(profile_steps=text)


def test_an_epoch_leaves_curves_attention_and_the_asked_for_profile(tmp_path):
    labels = np.array([0, 1, 0, 1])
    clips = {"frames": np.concatenate([FRAMES, FRAMES])}
    validation = tf.data.Dataset.from_tensor_slices((clips, labels)).batch(3)
    train(tmp_path, batches_with([0] * 8), validation, steps_per_call=4, profile_steps="2,3")
    events = [
        summary.tag
        for file in (tmp_path / "tensorboard").glob("*tfevents*")
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for summary in event.summary.value
    ]
    assert {"loss", "val_auc", "validation/curves", "validation/attention"} <= set(events)
    (profile,) = (tmp_path / "tensorboard" / "plugins" / "profile").glob("*/*.xplane.pb")
    assert profile.stat().st_size > 0


def test_the_best_epoch_is_chosen_by_what_is_reported_of_videos(tmp_path, monkeypatch):
    # A clip of a real video, three of a fake one: over clips the first and the last epoch rank better (2 of 3
    # pairs against 1), but only in the second the fake video's mean, .583, is above the real one's .5.
    epochs = [
        ClipScores(np.log(odds / (1 - odds)), np.array([0, 1, 1, 1]), None, {})
        for odds in np.float32([[0.5, 0.6, 0.6, 0.01], [0.5, 0.9, 0.45, 0.4], [0.5, 0.6, 0.6, 0.02]])
    ]
    coming = iter(epochs)
    monkeypatch.setattr(loop, "score_clips", lambda predict, clips: next(coming))
    trainer = train(
        tmp_path,
        batches_with([0] * 3),
        validated_videos=["a", "b", "b", "b"],
        steps_per_epoch=1,
        epochs=3,
        patience=9,
    )
    assert [line["val_auc"] for line in trainer.state.history] == [0, 1, 0]
    losses = [line["val_loss"] for line in trainer.state.history]
    assert losses[1] == pytest.approx(-np.log([0.5, 0.5833333]).mean(), rel=1e-5)
    assert trainer.best_scores is epochs[1]
    assert trainer.state.epochs_since_best == 1


@pytest.mark.slow
def test_a_step_that_memory_does_not_hold_names_the_flags_to_lower(tmp_path):
    def exhaust(frames):
        raise MemoryError  # TensorFlow reports it as it does its own

    def load(frames, labels):
        return tf.ensure_shape(tf.py_function(exhaust, [frames], tf.uint8), frames.shape), labels

    batches = batches_with([0] * 8).map(load)
    with pytest.raises(UserError) as error:
        train(tmp_path, batches)
    for flag in ("--accumulation", "--batch_size=2", "--backbone", "--precision"):
        assert flag in str(error.value)


def test_events_of_steps_that_a_run_has_not_reached_are_forgotten(tmp_path):
    # What is left of a run that got further than its newest checkpoint.
    scores = ClipScores(np.float32([0.1, 0.2]), np.array([0, 1]), None, {})
    Summaries(tmp_path / "tensorboard").add_epoch({"step": 99, "loss": 0.5}, scores)
    train(tmp_path, batches_with([0]), should_stop=lambda: True)
    (file,) = (tmp_path / "tensorboard").iterdir()
    assert not [event for event in tf.compat.v1.train.summary_iterator(str(file)) if event.step]
