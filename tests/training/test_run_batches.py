"""What `train` was told of its input shows in the batches it learns from."""

from collections import Counter
from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import load_clips
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.batches import find_split
from deepfake_tfdata.options import build
from deepfake_tfdata.training import TrainConfig
from deepfake_tfdata.training.feature_cache import FeatureSplit
from deepfake_tfdata.training.run_batches import (
    batch_shapes,
    feature_batches,
    frame_batches,
    load_validation,
)

STEPS = 3  # of an epoch
ONE_HOST = tf.distribute.InputContext()
# Each with a device.
TWO_HOSTS = [tf.distribute.InputContext(2, index, 2) for index in range(2)]


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

    def load(first_step=0, context=ONE_HOST, **options):
        options = {"augment": "none", "data": str(resized_records), "batch_size": 4, **options}
        config = build(TrainConfig, options)
        shards = find_split(config.input, "train")
        batches = frame_batches(context, config, shards, 0, first_step).take(STEPS - first_step)
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


def test_an_epoch_goes_on_at_any_step(first_epoch):
    assert first_epoch(first_step=1) == first_epoch()[1:]


def test_hosts_share_every_step(first_epoch):
    parts = zip(*(first_epoch(context=context) for context in TWO_HOSTS), strict=True)
    for of_hosts, (names, _) in zip(parts, first_epoch(), strict=True):
        assert [len(part) for part, _ in of_hosts] == [2, 2]
        assert sorted(name for part, _ in of_hosts for name in part) == sorted(names)


def test_kept_features_come_as_the_seed_says_and_are_shared_and_resumed_alike():
    features = FeatureSplit((np.zeros((12, 1, 1), np.float32),), np.arange(12))

    def labels(context=ONE_HOST, first=(0, 0), **options):
        config = build(TrainConfig, {"batch_size": 4, **options})
        batches = feature_batches(context, config, features, *first).take(4)
        return [label.numpy().tolist() for _, label in batches]

    whole = labels()
    assert labels(first=(0, 1))[:3] == whole[1:]
    assert labels(first=(1, 0))[0] == whole[3]
    assert labels(seed=1) != whole
    parts = zip(*map(labels, TWO_HOSTS), strict=True)
    assert [sorted(a + b) for a, b in parts] == [sorted(batch) for batch in whole]
    assert all(len(a) == 2 for a in labels(TWO_HOSTS[0]))


def test_workers_share_the_validation_clip_by_clip(resized_records):
    config = build(TrainConfig, {"data": str(resized_records), "batch_size": 4})
    shards = find_split(config.input, "val")
    workers = [SimpleNamespace(index=index, count=count) for index, count in ((0, 1), (0, 2), (1, 2))]
    whole, *shares = (
        [features["clip_id"].numpy().tolist() for features, _ in load_validation(config, shards, worker)]
        for worker in workers
    )
    assert [[len(batch) for batch in share] for share in (whole, *shares)] == [[4, 4], [2, 2], [2, 2]]
    clips = list(chain(*whole))
    assert [list(chain(*share)) for share in shares] == [clips[0::2], clips[1::2]]
    with pytest.raises(UserError, match=f"{len(clips)} val clips are too few for 9 workers"):
        load_validation(config, shards, SimpleNamespace(index=0, count=9))
    load_validation(config, shards, SimpleNamespace(index=7, count=8))


@pytest.mark.parametrize(
    ("options", "expected"), [({}, "many"), ({"jit_compile": True}, "few"), ({"strategy": "tpu"}, "one")]
)
def test_programs_that_are_compiled_meet_few_shapes(options, expected):
    assert batch_shapes(build(TrainConfig, options)) == expected
