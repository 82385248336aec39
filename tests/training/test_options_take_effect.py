"""What `train` was told shows in what it does: with a backbone of two layers, on real records."""

from collections import Counter

import keras
import numpy as np
import pytest

from deepfake_tfdata import load_clips
from deepfake_tfdata.options import build
from deepfake_tfdata.training import TrainConfig, summaries, train
from deepfake_tfdata.training.loop import Trainer

DEFAULTS = {
    "region": "mouth",
    "batch_size": 4,
    "augment": "none",
    "lstm_units": 2,
    "dropout": 0.0,
    "patience": 9,
    "learning_rate": 0.01,
    "weight_decay": 0.0,
    "strategy": "single",
    "precision": "float32",
}
# Of 4 clips a step; the flag's value is for 16.
RATE = 0.005
STEPS_PER_EPOCH = 3


def tiny_backbone(backbone, frame_size, weights, layer_name):
    """The frame's mean colour through two dense layers."""
    frames = keras.Input((frame_size, frame_size, 3), dtype="uint8")
    colour = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(frames))
    lower = keras.layers.Dense(4, name="lower")(colour)
    return keras.Model(frames, keras.layers.Dense(4, name="upper")(lower), name=layer_name)


@pytest.fixture
def tell_train(resized_records, tmp_path, monkeypatch):
    """Calls `train` with options and gives its trainer; `fit` stands in for the trainer's own."""
    monkeypatch.setattr("deepfake_tfdata.model.detector.build_backbone", tiny_backbone)
    monkeypatch.setattr(summaries, "_pictures", lambda scores: {})

    def tell(fit, **options):
        trainers = []

        def recording(trainer, *arguments):
            trainers.append(trainer)
            fit(trainer, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "fit", recording)
            workdir = tmp_path / "-".join([fit.__name__, *map(str, options.values())])
            places = {"data": str(resized_records), "workdir": str(workdir)}
            train(build(TrainConfig, {**DEFAULTS, **places, **options}))
        return trainers[0]

    return tell


@pytest.fixture
def trained(tell_train):
    """Trains with options: the trainer, and its weights before and after by their paths."""
    fit, before = Trainer.fit, {}

    def train_and_remember(trainer, *arguments):
        before.update(values_of(trainer.model))
        fit(trainer, *arguments)

    def run(**options):
        trainer = tell_train(train_and_remember, **options)
        return trainer, before, values_of(trainer.model)

    return run


@pytest.fixture
def prepared(tell_train, resized_records):
    """What a run with some options would begin with: its model, and an epoch of (names, labels) a batch.

    The name is the clip's that has these frames, None where they were changed.
    """
    stored = {}
    for features, _ in load_clips(resized_records, "mouth", "train", 1):
        stored[features["frames"].numpy().tobytes()] = features["clip_id"].numpy()[0].decode()

    def prepare(**options):
        batches = []

        def read(trainer, distributed, *_):
            for _ in range(STEPS_PER_EPOCH):
                frames, labels = next(distributed)
                names = [stored.get(clip.tobytes()) for clip in frames.numpy()]
                batches.append((names, labels.numpy().tolist()))

        return tell_train(read, **options).model, batches

    return prepare


def values_of(model):
    return {variable.path: np.asarray(variable) for variable in model.weights}


def test_balance(prepared):
    _, batches = prepared(balance="original:3,Face2Face:1")
    assert [Counter(labels) for _, labels in batches] == [{0: 3, 1: 1}] * STEPS_PER_EPOCH


def test_pairs(prepared):
    _, batches = prepared(pairs=True)
    for names, labels in batches:
        assert labels == [0, 1, 0, 1]
        for original, fake in zip(names[::2], names[1::2], strict=True):
            assert fake.startswith(original.replace("original", "Face2Face") + "_")


def test_augmentations(prepared):
    for augment, changed in {"none": False, "default": True}.items():
        _, batches = prepared(augment=augment)
        assert {name is None for names, _ in batches for name in names} == {changed}


def test_the_seed_is_that_of_weights_and_order(prepared):
    (model, batches), (other_model, other_batches) = (prepared(seed=seed) for seed in (0, 1))
    assert batches != other_batches
    for name, values in values_of(model).items():
        is_bias = values.ndim == 1
        assert np.array_equal(values, values_of(other_model)[name]) == is_bias, name


def test_dropout(prepared):
    clips = np.random.default_rng(0).integers(0, 256, (4, *prepared()[0].input_shape[1:]), np.uint8)
    for dropout in (0.0, 0.5):
        model, _ = prepared(dropout=dropout)
        first, second = (np.asarray(model(clips, training=True)) for _ in range(2))
        assert np.array_equal(first, second) == (dropout == 0)


def test_the_learning_rate_warms_up_and_follows_its_schedule(trained):
    trainer, _, _ = trained(schedule="cosine", warmup_epochs=1, epochs=3)
    rates = [epoch["learning_rate"] for epoch in trainer.state.history]
    assert rates == pytest.approx([RATE, RATE / 2, 0.0], abs=1e-8)


def test_gradients_cut_to_nothing_move_nothing(trained, resized_records):
    trainer, before, after = trained(clip_norm=1e-12, label_smoothing=0.5, epochs=1)
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, atol=RATE / 1000)
    # So that the epoch's loss is that of the first weights, and of the smoothed labels.
    ((features, labels),) = load_clips(resized_records, "mouth", "train", 12)
    logits = np.asarray(trainer.model(features["frames"]))
    targets = 0.25 + 0.5 * labels.numpy()
    expected = np.mean(np.logaddexp(0, logits) - targets * logits)
    assert trainer.state.history[0]["loss"] == pytest.approx(expected, rel=1e-4)


def test_only_the_backbones_top_is_finetuned_at_a_rate_of_its_own(trained):
    trainer, before, after = trained(
        freeze_epochs=1, finetune_layers=1, finetune_learning_rate=0.004, epochs=2
    )
    rates = [epoch["learning_rate"] for epoch in trainer.state.history]
    assert rates == pytest.approx([RATE, 0.002])
    moved = {path.split("/")[-2] for path, value in after.items() if not np.array_equal(value, before[path])}
    assert "lower" not in moved
    assert moved >= {"upper", "classifier"}
