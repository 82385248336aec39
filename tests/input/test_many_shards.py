"""A thousand shards open without trouble."""

import dataclasses
import shutil

import tensorflow as tf

from deepfake_tfdata import load_clips
from deepfake_tfdata.records.index import read_index, write_index
from tests.fakes import recount

COUNT = 1000


def write_shards(folder):
    """A clip a shard, COUNT times the first train clip under names of their own."""
    (shard,) = folder.glob("*-train.tfrecord-*")
    record = next(tf.data.TFRecordDataset(str(shard)).as_numpy_iterator())
    example = tf.train.Example.FromString(record)
    first = next(clip for clip in read_index(folder) if clip.split == "train")
    shard.unlink()
    index = []
    for number in range(COUNT):
        name = f"original/{number:04d}"
        example.features.feature["clip_id"].bytes_list.value[0] = name.encode()
        record = example.SerializeToString()
        path = folder / f"deepfake_{folder.name}-train.tfrecord-{number:05d}-of-{COUNT:05d}"
        with tf.io.TFRecordWriter(str(path)) as writer:
            writer.write(record)
        index.append(dataclasses.replace(first, shard=number, offset=0, length=len(record), clip_id=name))
    write_index(folder, index)


def test_a_thousand_shards_give_every_clip_once(records, tmp_path):
    copy = shutil.copytree(records, tmp_path / "copy")
    write_shards(copy / "mouth")
    recount(copy, "train", shards=COUNT, real=COUNT, fake=0)
    clips = [
        clip
        for features, _ in load_clips(copy, "mouth", "train", 50, shuffle=True)
        for clip in features["clip_id"].numpy()
    ]
    assert len(set(clips)) == len(clips) == COUNT
