"""Clips of several regions: the same clips in the same order as those of one, side by side."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector, load_clips
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.batch_order import HostShare
from deepfake_tfdata.input.dataset import clip_ids_of_step, detector_inputs
from deepfake_tfdata.input.shards import find_shards
from deepfake_tfdata.records.example import parse_example
from deepfake_tfdata.records.index import read_index, write_index
from tests.fakes import FRAME_SIZE, NUM_FRAMES, recount

REGIONS = ("full", "mouth")
TRAINING = {"shuffle": True, "augment": "all", "drop_remainder": True, "num_epochs": 2, "seed": 3}


def assert_same_clips(together, alone, region):
    """Whether batches of several regions hold those of one, pixel for pixel."""
    for (several, labels), (one, expected) in zip(together, alone, strict=True):
        assert several["clip_id"].numpy().tolist() == one["clip_id"].numpy().tolist()
        np.testing.assert_array_equal(labels, expected)
        for name in ("frames", "boxes", "height", "view"):
            np.testing.assert_array_equal(several[name][region], one[name])


def rewrite(folder, split, *shards):
    """Replaces a split's one shard by the given lists of records, in the index too."""
    (old,) = folder.glob(f"*-{split}.tfrecord-*")
    old.unlink()
    known = {clip.clip_id: clip for clip in read_index(folder)}
    index = [clip for clip in known.values() if clip.split != split]
    for number, records in enumerate(shards):
        path = old.with_name(old.name[:-14] + f"{number:05d}-of-{len(shards):05d}")
        offset = 0
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record)
                clip_id = parse_example(record, NUM_FRAMES)["clip_id"].numpy().decode()
                clip = dataclasses.replace(known[clip_id], shard=number, offset=offset)
                index.append(clip)
                offset = clip.end
    write_index(folder, index)
    recount(folder.parent, split, shards=len(shards))


def serialized(folder, split):
    (shard,) = folder.glob(f"*-{split}.tfrecord-*")
    return [record.numpy() for record in tf.data.TFRecordDataset(str(shard))]


@pytest.fixture
def copy(records, tmp_path):
    return shutil.copytree(records, tmp_path / "copy")


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, TRAINING, {**TRAINING, "first_epoch": 1, "first_step": 1}])
def test_each_region_is_as_if_loaded_alone(copy, options):
    records = copy
    for region in REGIONS:
        clips = serialized(records / region, "train")
        rewrite(records / region, "train", clips[:3], clips[3:4], clips[4:])
    together = list(load_clips(records, "full,mouth", "train", 5, **options))
    assert set(together[0][0]["frames"]) == set(REGIONS)
    for region in REGIONS:
        assert_same_clips(together, load_clips(records, region, "train", 5, **options), region)


def test_regions_may_be_named_in_any_order(records):
    together = list(load_clips(records, "mouth,full", "test", 3))
    for region in REGIONS:
        assert_same_clips(together, load_clips(records, region, "test", 3), region)


@pytest.mark.slow
def test_hosts_get_their_share(records):
    share = HostShare(1, 2, 4)
    together = list(load_clips(records, REGIONS, "train", 2, share=share, **TRAINING))
    assert_same_clips(together, load_clips(records, "mouth", "train", 2, share=share, **TRAINING), "mouth")


def test_the_clips_of_a_step_are_those_of_one_region(records):
    ids = [
        clip_ids_of_step(find_shards(records, region, "train"), 5, seed=3, epoch=1, step=1)
        for region in ("mouth", REGIONS)
    ]
    assert ids[0] == ids[1]


@pytest.mark.slow
@pytest.mark.parametrize("native", [False, True])
def test_a_detector_takes_the_frames_as_they_come(native, records, resized_records):
    detector = build_detector(
        "meso4", "attention", NUM_FRAMES, FRAME_SIZE, "none", lstm_units=4, regions=REGIONS, native=native
    )
    features, _ = next(iter(load_clips(records if native else resized_records, REGIONS, "test", 2)))
    assert detector(detector_inputs(features)).shape == (2,)


def test_regions_out_of_step_are_refused_with_both_clips(copy):
    clips = serialized(copy / "mouth", "test")
    ids = [clip.clip_id for clip in find_shards(copy, "mouth", "test").clips[0]]
    rewrite(copy / "mouth", "test", [clips[1], clips[0], *clips[2:]])
    # An index that knows nothing of it.
    index = read_index(copy / "mouth")
    swapped = {ids[0]: ids[1], ids[1]: ids[0]}
    write_index(
        copy / "mouth", [dataclasses.replace(c, clip_id=swapped.get(c.clip_id, c.clip_id)) for c in index]
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="is where the index has") as error:
        list(load_clips(copy, REGIONS, "test", 4))
    assert ids[0] in str(error.value)
    assert ids[1] in str(error.value)


def test_regions_with_other_clips_are_refused(copy):
    clips = serialized(copy / "mouth", "test")
    rewrite(copy / "mouth", "test", [clips[1], clips[0], *clips[2:]])
    with pytest.raises(UserError, match=r"test splits of full,mouth differ"):
        find_shards(copy, "full,mouth", "test")


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("full,full", "--region=full,full has a region twice"),
        ("full,chin", "no region 'chin'.*full, eyes, mouth"),
    ],
)
def test_mistakes_are_named(records, region, message):
    with pytest.raises(UserError, match=message):
        load_clips(records, region, "train", 2)
