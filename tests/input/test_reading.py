"""Damaged shards: an error that names shard and position, or a count; never a hang or a silent loss."""

import dataclasses
import shutil

import pytest
import tensorflow as tf

from deepfake_tfdata import load_clips
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.clip_selection import select_clips
from deepfake_tfdata.input.reading import damaged_rows, explained_damage
from deepfake_tfdata.input.shards import find_shards


@pytest.fixture
def copy(records, tmp_path):
    return shutil.copytree(records, tmp_path / "copy")


def shard_of(folder):
    (shard,) = (folder / "mouth").glob("*-train.tfrecord-*")
    return shard


def flip_bit(shard, position):
    content = bytearray(shard.read_bytes())
    content[position] ^= 1
    shard.write_bytes(content)


def read_all(shards):
    return [clip for features, _ in load_clips(shards, batch_size=2) for clip in features["clip_id"].numpy()]


def test_a_truncated_shard_is_named_before_anything_is_read(copy):
    shard = shard_of(copy)
    shard.write_bytes(shard.read_bytes()[:-7])
    with pytest.raises(UserError, match=f"{shard.name} is truncated"):
        load_clips(copy, "mouth", "train", 2)


def test_a_missing_shard_is_named(copy):
    shard_of(copy).unlink()
    with pytest.raises(UserError, match=r"-train\.tfrecord-00000-of-00001 is missing"):
        load_clips(copy, "mouth", "train", 2)


@pytest.mark.slow
@pytest.mark.parametrize(("row", "part"), [(0, "pixels"), (5, "length"), (11, "pixels")])
def test_a_flipped_bit_is_named_with_its_place(copy, row, part):
    shards = find_shards(copy, "full,mouth", "train")
    clip = shards.clips[1][row]
    flip_bit(shard_of(copy), clip.offset + (0 if part == "length" else clip.length // 2))
    assert damaged_rows(shards) == [row]
    expected = f"{shard_of(copy).name} is damaged at byte {clip.offset} \\(clip {clip.clip_id}\\)"
    with pytest.raises(UserError, match=expected), explained_damage(shards):
        read_all(shards)


def test_damaged_clips_can_be_left_out(copy):
    shards = find_shards(copy, "mouth", "train")
    whole = read_all(shards)
    for row in (2, 7):
        flip_bit(shard_of(copy), shards.clips[0][row].offset + 100)
    damaged = damaged_rows(shards)
    assert damaged == [2, 7]
    left = shards.only(row for row in range(12) if row not in damaged)
    assert read_all(left) == [clip for row, clip in enumerate(whole) if row not in damaged]
    expected = rf"clip {shards.clips[0][2].clip_id}, and 1 more are damaged\); .*--skip_corrupt"
    with pytest.raises(UserError, match=expected), explained_damage(shards):
        read_all(shards)


def test_the_digest_changes_with_any_clip_its_place_and_the_conversion(records):
    shards = find_shards(records, "full,mouth", "train")
    assert shards.digest == find_shards(records, "full,mouth", "train").digest
    digests = {shards.digest}
    for change in ({"clip_id": "x"}, {"shard": 9}, {"offset": 1}, {"length": 1}):
        for region in range(2):
            clips = [list(each) for each in shards.clips]
            clips[region][3] = dataclasses.replace(clips[region][3], **change)
            digests.add(dataclasses.replace(shards, clips=tuple(map(tuple, clips))).digest)
    other = dataclasses.replace(shards.conversion, plan="another")
    digests.add(dataclasses.replace(shards, conversion=other).digest)
    assert len(digests) == 10


def test_a_damaged_index_is_named(copy):
    index = copy / "mouth" / "clips.jsonl"
    index.write_text("".join(line + "\n" for line in index.read_text().splitlines()[:-1]))
    with pytest.raises(UserError, match=r"the index in .*mouth is damaged"):
        for split in ("train", "val", "test"):
            find_shards(copy, "mouth", split)


def test_a_shard_that_vanishes_while_it_is_read_is_named(copy):
    shards = find_shards(copy, "mouth", "train")
    shard_of(copy).unlink()
    with pytest.raises(UserError, match="is missing"), explained_damage(shards):
        read_all(shards)


def test_a_shard_that_is_cut_between_two_records_is_no_silent_loss(copy):
    shards = find_shards(copy, "mouth", "train")
    shard = shard_of(copy)
    shard.write_bytes(shard.read_bytes()[: shards.clips[0][7].offset])
    with pytest.raises(UserError, match="is truncated"), explained_damage(shards):
        read_all(shards)


def test_of_a_truncated_shard_what_is_whole_can_be_read(copy):
    clips = find_shards(copy, "mouth", "train").clips[0]
    shard = shard_of(copy)
    shard.write_bytes(shard.read_bytes()[: clips[7].offset + 5])
    left = select_clips(copy, "mouth", "train", skip_corrupt=True)
    assert left.num_skipped == 5
    assert read_all(left) == [clip.clip_id.encode() for clip in clips[:7]]
    shard.unlink()
    with pytest.raises(UserError, match="all 12 train clips are damaged"):
        select_clips(copy, "mouth", "train", skip_corrupt=True)


def test_what_is_no_file_is_no_damage(copy):
    shard_of(copy).unlink()
    (copy / "mouth" / "deepfake_mouth-train.tfrecord-00000-of-00001").mkdir()
    with pytest.raises(UserError, match="the train shards can't be read: "):
        select_clips(copy, "mouth", "train", skip_corrupt=True)


def test_what_fails_elsewhere_is_said_to_be_whole_here(records):
    shards = find_shards(records, "mouth", "train")
    expected = r"could not be read, and is whole here \(far away\)"
    with pytest.raises(UserError, match=expected), explained_damage(shards):
        raise tf.errors.NotFoundError(None, None, "far away")


def test_part_of_a_split_knows_its_whole_shards(copy):
    part = find_shards(copy, "mouth", "train").only([0, 3])
    assert damaged_rows(part) == []
    assert len(read_all(part)) == 2
