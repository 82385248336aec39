"""Local copies of shards."""

import shutil
from pathlib import Path

import pytest

from deepfake_tfdata import load_clips
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.cache import cached
from deepfake_tfdata.input.clip_selection import select_clips
from deepfake_tfdata.input.shards import find_shards


def ids(shards):
    return [clip for features, _ in load_clips(shards, batch_size=5) for clip in features["clip_id"].numpy()]


def test_copies_serve_without_the_originals(records, tmp_path):
    originals = shutil.copytree(records, tmp_path / "records")
    shards = find_shards(originals, "full,mouth", "train")
    expected = ids(shards)
    copies = cached(shards, str(tmp_path / "cache"))
    shutil.rmtree(originals)
    assert ids(copies) == expected
    assert ids(cached(shards, str(tmp_path / "cache"))) == expected  # nothing is copied twice


def test_an_interrupted_copy_is_made_again(records, tmp_path):
    shards = find_shards(records, "mouth", "train")
    copies = cached(shards, str(tmp_path))
    (file,) = copies.files(0)
    half = tmp_path / "half"
    shutil.move(file, half)
    half.rename(file.replace(".tfrecord", ".incomplete.tfrecord"))
    assert ids(cached(shards, str(tmp_path))) == ids(shards)


@pytest.mark.slow
def test_what_is_damaged_at_the_origin_is_skipped_until_it_is_repaired(records, tmp_path):
    originals = shutil.copytree(records, tmp_path / "records")
    (shard,) = (Path(file) for file in find_shards(originals, "mouth", "train").files(0))
    whole = shard.read_bytes()
    clip_ids = ids(find_shards(originals, "mouth", "train"))

    def select():
        return select_clips(originals, "mouth", "train", str(tmp_path / "cache"), skip_corrupt=True)

    shard.unlink()
    with pytest.raises(UserError, match=f"all {len(clip_ids)} train clips are damaged"):
        select()
    shard.write_bytes(whole[: len(whole) // 2])
    half = select()
    assert ids(half) == clip_ids[: -half.num_skipped]
    shard.write_bytes(whole)
    assert ids(select()) == clip_ids


@pytest.mark.parametrize(
    ("folder", "message"), [("s3://b/cache", "object storage"), ("/dev/null/x", "can't be filled")]
)
def test_mistakes_are_named(records, folder, message):
    with pytest.raises(UserError, match=message):
        cached(find_shards(records, "mouth", "train"), folder)
