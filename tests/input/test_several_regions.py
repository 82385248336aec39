"""Clips of several regions: the same clips in the same order as those of one, side by side."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector, load_clips
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.dataset import HostShare, clip_ids_of_step
from deepfake_tfdata.input.shards import find_shards
from tests.fakes import FRAME_SIZE, NUM_FRAMES

REGIONS = ("full", "mouth")
TRAINING = {"shuffle": True, "augment": "all", "drop_remainder": True, "num_epochs": 2, "seed": 3}


def assert_same_clips(together, alone, region):
    """Whether batches of several regions hold those of one, pixel for pixel."""
    for (several, labels), (one, expected) in zip(together, alone, strict=True):
        assert several["clip_id"].numpy().tolist() == one["clip_id"].numpy().tolist()
        np.testing.assert_array_equal(labels, expected)
        for name in ("frames", "boxes", "height"):
            np.testing.assert_array_equal(several[name][region], one[name])


def rewrite(folder, split, *shards):
    """Replaces a split's one shard by the given lists of records."""
    (old,) = folder.glob(f"*-{split}.tfrecord-*")
    old.unlink()
    size = 0
    for index, records in enumerate(shards):
        path = old.with_name(old.name[:-14] + f"{index:05d}-of-{len(shards):05d}")
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record)
        size += path.stat().st_size
    path = folder / "dataset_info.json"
    info = json.loads(path.read_text())
    for entry in info["splits"]:
        if entry["name"] == split:
            entry.update(numBytes=str(size), shardLengths=[str(len(records)) for records in shards])
    path.write_text(json.dumps(info))


def serialized(folder, split):
    (shard,) = folder.glob(f"*-{split}.tfrecord-*")
    return [record.numpy() for record in tf.data.TFRecordDataset(str(shard))]


@pytest.fixture
def copy(records, tmp_path):
    return shutil.copytree(records, tmp_path / "copy")


@pytest.mark.parametrize("options", [{}, TRAINING, {**TRAINING, "first_epoch": 1, "first_step": 1}])
def test_each_region_is_as_if_loaded_alone(copy, options):
    records = copy
    for region in REGIONS:
        clips = serialized(records / region, "train")
        rewrite(records / region, "train", clips[:3], clips[3:4], clips[4:])
    together = list(load_clips(records, "full,mouth", "train", 5, **options))
    frames = together[0][0]["frames"]
    assert frames["full"].shape == (5, NUM_FRAMES, FRAME_SIZE, FRAME_SIZE, 3)
    assert set(frames) == set(REGIONS)
    for region in REGIONS:
        assert_same_clips(together, load_clips(records, region, "train", 5, **options), region)


def test_hosts_get_their_share(records):
    share = HostShare(1, 2, 4)
    together = list(load_clips(records, REGIONS, "train", 2, share=share, **TRAINING))
    assert_same_clips(together, load_clips(records, "mouth", "train", 2, share=share, **TRAINING), "mouth")


def test_the_clips_of_a_step_are_those_of_one_region(records):
    ids = [clip_ids_of_step(records, region, 5, seed=3, epoch=1, step=1) for region in ("mouth", REGIONS)]
    assert ids[0] == ids[1]


def test_a_detector_takes_the_frames_as_they_come(records):
    detector = build_detector(
        "meso4", "attention", NUM_FRAMES, FRAME_SIZE, "none", lstm_units=4, regions=REGIONS
    )
    features, _ = next(iter(load_clips(records, REGIONS, "test", 2)))
    assert detector(features["frames"]).shape == (2,)


def test_regions_out_of_step_are_refused_with_both_clips(records, copy):
    clips = serialized(copy / "mouth", "test")
    rewrite(copy / "mouth", "test", [clips[1], clips[0], *clips[2:]])
    ids = [features["clip_id"].numpy()[0].decode() for features, _ in load_clips(records, "mouth", "test", 1)]
    with pytest.raises(tf.errors.InvalidArgumentError, match="different clips") as error:
        list(load_clips(copy, REGIONS, "test", 4))
    assert ids[0] in str(error.value)
    assert ids[1] in str(error.value)


def test_regions_with_other_shards_are_refused(copy):
    clips = serialized(copy / "mouth", "test")
    rewrite(copy / "mouth", "test", clips[:1], clips[1:])
    with pytest.raises(UserError, match=r"test splits of full,mouth in .* differ"):
        find_shards(copy, "full,mouth", "test")


def test_shards_pair_up_by_their_number(records):
    shards = find_shards(records, "full,eyes,mouth", "train")
    assert shards.num_clips == find_shards(records, "mouth", "train").num_clips
    assert [[name.split("/")[-2] for name in row] for row in shards.rows()] == [["full", "eyes", "mouth"]]
    two_shards = dataclasses.replace(shards, regions=("a", "b"), files=("a/0", "a/1", "b/0", "b/1"))
    assert two_shards.rows() == [("a/0", "b/0"), ("a/1", "b/1")]


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("full,full", "--region=full,full has a region twice"),
        ("full,chin", "no region 'chin'.*full, eyes, mouth"),
        ("full,", "no region ''"),
    ],
)
def test_mistakes_are_named(records, region, message):
    with pytest.raises(UserError, match=message):
        load_clips(records, region, "train", 2)
