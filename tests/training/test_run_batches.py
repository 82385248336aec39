"""What `train` was told of its input shows in the batches it learns from."""

from collections import Counter

import pytest
import tensorflow as tf

from deepfake_tfdata import load_clips
from deepfake_tfdata.input.batches import find_split
from deepfake_tfdata.options import build
from deepfake_tfdata.training import TrainConfig
from deepfake_tfdata.training.run_batches import batch_shapes, frame_batches

STEPS = 3  # of an epoch


@pytest.fixture(scope="module")
def stored(resized_records):
    """The names of clips by the bytes of their frames."""
    return {
        features["frames"].numpy().tobytes(): features["clip_id"].numpy()[0].decode()
        for features, _ in load_clips(resized_records, "mouth", "train", 1)
    }


@pytest.fixture
def first_epoch(resized_records, stored):
    """Names and labels of an epoch's batches with some options; a name is None where frames were changed."""

    def load(**options):
        options = {"augment": "none", "data": str(resized_records), "batch_size": 4, **options}
        config = build(TrainConfig, options)
        shards = find_split(config.input, "train")
        batches = frame_batches(tf.distribute.InputContext(), config, shards, 0, 0).take(STEPS)
        return [
            ([stored.get(clip.tobytes()) for clip in frames], labels.tolist())
            for frames, labels in batches.as_numpy_iterator()
        ]

    return load


def test_classes_are_drawn_as_often_as_the_balance_says(first_epoch):
    batches = first_epoch(balance="original:3,Face2Face:1")
    assert [Counter(labels) for _, labels in batches] == [{0: 3, 1: 1}] * STEPS


def test_pairs_are_a_fake_after_its_original(first_epoch):
    for names, labels in first_epoch(pairs=True):
        assert labels == [0, 1, 0, 1]
        for original, fake in zip(names[::2], names[1::2], strict=True):
            # The fakes of two videos by each other have the same frames here: their names may be swapped.
            assert original.removeprefix("original/") in fake


def test_frames_are_augmented_if_so_asked(first_epoch):
    for augment, changed in {"none": False, "default": True}.items():
        names = {name for batch, _ in first_epoch(augment=augment) for name in batch}
        assert names == {None} if changed else None not in names


def test_the_order_follows_from_the_seed(first_epoch):
    assert first_epoch() == first_epoch(seed=0) != first_epoch(seed=1)


@pytest.mark.parametrize(
    ("options", "expected"), [({}, "many"), ({"jit_compile": True}, "few"), ({"strategy": "tpu"}, "one")]
)
def test_programs_that_are_compiled_meet_few_shapes(options, expected):
    assert batch_shapes(build(TrainConfig, options)) == expected
