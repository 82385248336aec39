"""Records read one by one through the index."""

import shutil
from dataclasses import replace

import pytest
import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.example import read_example
from deepfake_tfdata.records.index import read_index


@pytest.fixture
def mouth(records, tmp_path):
    return shutil.copytree(records / "mouth", tmp_path / "records" / "mouth")


def shard_of(folder, clip):
    (shard,) = folder.glob(f"*-{clip.split}.tfrecord-{clip.shard:05d}-of-*")
    return shard


def test_it_is_the_record_that_tensorflow_reads(mouth):
    clips = [clip for clip in read_index(mouth) if clip.split == "train"]
    theirs = tf.data.TFRecordDataset(str(shard_of(mouth, clips[0])))
    for clip, record in zip(clips, theirs, strict=True):
        assert read_example(shard_of(mouth, clip), clip) == tf.train.Example.FromString(record.numpy())


@pytest.mark.parametrize(
    "damage",
    [
        lambda shard: shard.write_bytes(shard.read_bytes()[:-100]),
        lambda shard: shard.write_bytes(b"more" + shard.read_bytes()),
        lambda shard: shard.write_bytes(bytes(shard.stat().st_size)),
        lambda shard: shard.unlink(),
    ],
    ids=["cut", "shifted", "blank", "missing"],
)
def test_a_damaged_shard_is_named(mouth, damage):
    clip = read_index(mouth)[-1]
    shard = shard_of(mouth, clip)
    damage(shard)
    with pytest.raises(UserError, match=f"shard {shard} has been damaged since it was written"):
        read_example(shard, clip)


def test_another_clips_record_is_refused(mouth):
    clip = read_index(mouth)[0]
    with pytest.raises(UserError, match="has been damaged"):
        read_example(shard_of(mouth, clip), replace(clip, clip_id="original/another"))
