"""What `train` was told of model and optimizer shows in what it does: with a backbone of two layers."""

import keras
import numpy as np
import pytest

from deepfake_tfdata import load_clips
from deepfake_tfdata.options import build
from deepfake_tfdata.training import TrainConfig, summaries, train
from deepfake_tfdata.training.loop import Trainer

DEFAULTS = {
    "region": "mouth",
    "head": "control",
    "lstm_units": 2,
    "batch_size": 4,
    "augment": "none",
    "dropout": 0.0,
    "patience": 9,
    "learning_rate": 0.01,
    "weight_decay": 0.0,
    "strategy": "single",
    "precision": "float32",
}
# Of 4 clips a step, where the flag's value is meant for 16.
RATE = 0.005


def tiny_backbone(backbone, frame_size, weights, layer_name, **_):
    """The frame's mean colour through two dense layers."""
    frames = keras.Input((frame_size, frame_size, 3), dtype="uint8")
    colour = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(frames))
    lower = keras.layers.Dense(4, name="lower")(colour)
    return keras.Model(frames, keras.layers.Dense(4, name="upper")(lower), name=layer_name)


@pytest.fixture
def run(resized_records, tmp_path, monkeypatch):
    """Calls `train` with options, and `fit` in place of the trainer's own; gives the trainer."""
    monkeypatch.setattr("deepfake_tfdata.model.detector.build_backbone", tiny_backbone)
    monkeypatch.setattr(summaries, "_pictures", lambda scores: {})

    def run_with(fit, **options):
        trainers = []

        def fit_and_remember(trainer, *arguments):
            trainers.append(trainer)
            fit(trainer, *arguments)

        places = {"data": str(resized_records), "workdir": str(tmp_path / str(options))}
        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "fit", fit_and_remember)
            train(build(TrainConfig, {**DEFAULTS, **places, **options}))
        return trainers[0]

    return run_with


@pytest.fixture
def built(run):
    """The model that a run with some options would train."""
    return lambda **options: run(lambda trainer, *_: None, **options).model


@pytest.fixture
def trained(run):
    """Trains with options: the trainer, and its model's weights before and after."""
    fit, before = Trainer.fit, []

    def remember_and_fit(trainer, *arguments):
        before.extend(trainer.model.get_weights())
        fit(trainer, *arguments)

    def train_with(**options):
        trainer = run(remember_and_fit, **options)
        return trainer, before, trainer.model.get_weights()

    return train_with


def test_the_seed_is_that_of_the_weights_and_dropout_drops(built):
    first, again, other = (built(seed=seed, dropout=0.5) for seed in (0, 0, 1))
    for one, same, another in zip(*(model.get_weights() for model in (first, again, other)), strict=True):
        np.testing.assert_array_equal(one, same)
        assert one.ndim == 1 or not np.array_equal(one, another)
    clips = np.random.default_rng(0).integers(0, 256, (4, *first.input_shape[1:]), np.uint8)
    logits = [np.asarray(first({"frames": clips}, training=training)) for training in (True, True, False)]
    assert len({values.tobytes() for values in logits}) == 3


def test_rates_warm_up_and_follow_their_schedule_while_the_top_alone_is_finetuned(trained):
    trainer, before, after = trained(
        schedule="cosine",
        warmup_epochs=1,
        epochs=4,
        freeze_epochs=2,
        finetune_layers=1,
        finetune_learning_rate=0.004,
    )
    rates = [epoch["learning_rate"] for epoch in trainer.state.history]
    assert rates == pytest.approx([RATE, 0, 0.002, 0], abs=1e-8)
    moved = {
        weight.path.split("/")[-2]
        for weight, old, new in zip(trainer.model.weights, before, after, strict=True)
        if not np.array_equal(old, new)
    }
    assert moved >= {"upper", "classifier"}
    assert "lower" not in moved


def test_gradients_cut_to_nothing_move_nothing_and_labels_are_smoothed(trained, resized_records):
    trainer, before, after = trained(clip_norm=1e-12, label_smoothing=0.5, epochs=1)
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(old, new, atol=RATE / 1000)
    # So that the epoch's loss is that of the first weights.
    ((features, labels),) = load_clips(resized_records, "mouth", "train", 12)
    logits = np.asarray(trainer.model({"frames": features["frames"]}))
    targets = 0.25 + 0.5 * labels.numpy()
    expected = np.mean(np.logaddexp(0, logits) - targets * logits)
    assert trainer.state.history[0]["loss"] == pytest.approx(expected, rel=1e-4)
