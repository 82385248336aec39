"""A folder of records is of one kind: what would mix two is refused, and all regions have the same clips."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.shards import find_shards
from deepfake_tfdata.records import shard_writer
from deepfake_tfdata.records.index import INDEX_FILE, read_index
from deepfake_tfdata.records.ledger import LedgerEntry
from deepfake_tfdata.records.metadata import CONVERSION_FILE, read_conversion, write_conversion
from deepfake_tfdata.records.outcome import Outcome
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.records.source_content import content_of, require_same_content, with_content
from tests.fakes import FRAME_SIZE, NUM_FRAMES, face_frames, write_video

FLAGS = (f"--num_frames={NUM_FRAMES}", f"--frame_size={FRAME_SIZE}", "--workers=1")


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def clip_ids(folder: Path, region: str) -> list[str]:
    return [clip.clip_id for clip in read_index(folder / region)]


@pytest.fixture(scope="session")
def originals(made_once):
    """Three originals, which the hash puts into two splits, and as many in c40."""

    def fill(folder: Path) -> None:
        for compression, shift in (("c23", 0.0), ("c40", 20.0)):
            videos = folder / "original_sequences" / "youtube" / compression / "videos"
            for number in range(3):
                write_video(videos / f"{number:03d}.mp4", face_frames(NUM_FRAMES, shift=shift + 5 * number))

    return made_once("originals", fill)


@pytest.fixture(scope="session")
def full(originals, command, made_once):
    """Their faces."""

    def fill(folder: Path) -> None:
        result = command("convert", f"--source={originals}", f"--output={folder}", *FLAGS, "--regions=full")
        assert result.returncode == 0, result.stderr

    return made_once("full", fill)


@pytest.fixture
def source(originals, tmp_path):
    return shutil.copytree(originals, tmp_path / "source")


@pytest.fixture
def convert(command, source, tmp_path):
    def run(*flags: str, expect: int = 0) -> str:
        result = command("convert", f"--source={source}", f"--output={tmp_path / 'records'}", *FLAGS, *flags)
        assert result.returncode == expect, result.stdout + result.stderr
        return result.stderr

    return run


@pytest.fixture
def converted(full, tmp_path):
    return shutil.copytree(full, tmp_path / "records")


@pytest.mark.parametrize("region", ["full", "mouth"])
def test_another_compression_is_refused_and_changes_nothing(converted, convert, region):
    before = state(converted)
    error = convert("--compression=c40", f"--regions={region}", expect=2)
    assert "compression: c23 against c40" in error
    assert state(converted) == before


def test_another_data_set_is_refused(converted, convert, source, tmp_path):
    mirror = tmp_path / "mirror"
    shutil.copytree(source / "original_sequences" / "youtube" / "c23" / "videos", mirror / "original")
    (mirror / "Face2Face").mkdir()
    assert "data_set: ffpp against ffpp_mirror" in convert(f"--source={mirror}", expect=2)


@pytest.mark.parametrize("part", ["av", "libavcodec", "opencv", "pillow", "algorithm"])
def test_records_of_other_versions_are_refused(converted, convert, part):
    conversion = read_conversion(converted)
    older = {**conversion.provenance["versions"], part: "1.0"}
    provenance = {**conversion.provenance, "versions": older}
    write_conversion(converted, dataclasses.replace(conversion, provenance=provenance))
    assert f"{part}: 1.0 against" in convert("--regions=mouth", expect=2)


def test_other_files_under_the_same_names_are_refused(converted, convert, source):
    before = state(converted)
    video = next(source.rglob("c23/videos/001.mp4"))
    content = bytearray(video.read_bytes())
    content[len(content) // 2] ^= 1  # the size stays
    video.write_bytes(content)
    assert "original/001" in convert("--regions=mouth", expect=2)
    assert state(converted) == before


@pytest.mark.parametrize("place", [0, 500_000, 999_999])
def test_a_large_file_is_known_by_its_beginning_middle_and_end(place, tmp_path):
    file = tmp_path / "a.mp4"
    content = bytearray(1_000_000)
    file.write_bytes(content)
    before = content_of(file)
    content[place] ^= 1
    file.write_bytes(content)
    assert content_of(file) != before


@pytest.mark.parametrize("other", ["mask", "original"])
def test_what_else_decides_a_video_is_part_of_its_content(other, tmp_path):
    """Its mask says which face is followed, its original where that is."""
    for name in ("video", "mask", "original"):
        (tmp_path / name).write_bytes(name.encode())
    original = Video(str(tmp_path / "original"), "a", 0, "original", "a")
    fake = Video(
        str(tmp_path / "video"), "a_b", 1, "X", "a", original=original, mask_path=str(tmp_path / "mask")
    )
    content = with_content(lambda video: ProcessedVideo(), fake).content
    entries = {fake.key: LedgerEntry(fake.key, "ok", "", 1, 1.0, content)}
    require_same_content([fake], entries, tmp_path)
    (tmp_path / other).write_bytes(b"another")
    with pytest.raises(UserError, match="X/a_b"):
        require_same_content([fake], entries, tmp_path)


def test_sources_that_moved_are_the_same(converted, convert, source, tmp_path):
    before = state(converted)
    moved = shutil.copytree(source, tmp_path / "moved")
    convert(f"--source={moved}", "--regions=full")
    assert {name: content for name, (content, _) in state(converted).items() if "tfrecord" in name} == {
        name: content for name, (content, _) in before.items() if "tfrecord" in name
    }


def test_the_size_for_a_detector_is_no_part_of_native_crops(converted, convert):
    before = state(converted)
    error = convert("--regions=full", "--frame_size=96", "--fit=letterbox")
    assert f"frame_size: {FRAME_SIZE} against 96" in error  # a warning
    after = state(converted)
    assert [name for name in before if "tfrecord" in name and before[name] != after[name]] == []
    conversion = read_conversion(converted)
    assert conversion.spec["frame_size"] == conversion.face_sizes["frame_size"] == FRAME_SIZE


def test_without_its_description_a_folder_is_not_adopted(converted, convert):
    (converted / CONVERSION_FILE).unlink()
    before = state(converted)
    assert f"has records but no {CONVERSION_FILE}" in convert("--compression=c40", expect=2)
    assert state(converted) == before


@pytest.mark.parametrize("edit", [("compression", "c40"), ("spec_hash", "0" * 12), ("complete", False)])
def test_an_edited_description_is_refused(converted, convert, edit):
    name, value = edit
    path = converted / CONVERSION_FILE
    values = json.loads(path.read_text())
    (values["provenance"] if name in values["provenance"] else values)[name] = value
    path.write_text(json.dumps(values))
    before = state(converted)
    assert "is not what was written" in convert(expect=2)
    assert state(converted) == before
    with pytest.raises(UserError, match="is not what was written"):
        find_shards(converted, "full", "train")


def test_a_region_added_later_has_the_clips_of_the_others(convert, source, tmp_path):
    """One video is mended between the two runs: it would be in the new region only."""
    video = next(source.rglob("c23/videos/001.mp4"))
    content = video.read_bytes()
    video.write_bytes(content[:100])
    convert("--regions=full")
    records = tmp_path / "records"
    assert len(clip_ids(records, "full")) == 2
    video.write_bytes(content)
    convert("--regions=mouth")
    assert clip_ids(records, "full") == clip_ids(records, "mouth")
    assert len(clip_ids(records, "full")) == 3
    counts = read_conversion(records).counts.values()
    assert sum(split["real"] for split in counts) == 3


def test_a_clip_that_one_region_lacks_is_healed_by_the_same_command(convert, tmp_path):
    convert("--regions=full,mouth")
    records = tmp_path / "records"
    whole = state(records)
    # As a version that wrote regions one by one left it: a shard and its index with a clip less.
    index = records / "mouth" / INDEX_FILE
    lines = index.read_text().splitlines(keepends=True)
    last = json.loads(lines[-1])
    shard = next((records / "mouth").glob(f"*-{last['split']}.tfrecord-*"))
    shard.write_bytes(shard.read_bytes()[: last["offset"]])
    index.write_text("".join(lines[:-1]))
    convert("--regions=full,mouth")
    assert {name: content for name, (content, _) in state(records).items() if "tfrecord" in name} == {
        name: content for name, (content, _) in whole.items() if "tfrecord" in name
    }
    assert index.read_text() == "".join(lines)


@pytest.mark.parametrize("damage", ["index", "shard"])
def test_index_and_shards_are_checked_against_each_other(converted, convert, damage):
    before = state(converted)
    index = converted / "full" / INDEX_FILE
    split = json.loads(index.read_text().splitlines()[0])["split"]
    shard = next((converted / "full").glob(f"*-{split}.tfrecord-*"))
    if damage == "index":
        clips = [json.loads(line) for line in index.read_text().splitlines()]
        clips[0]["offset"] += 3
        index.write_text("".join(json.dumps(clip) + "\n" for clip in clips))
    else:
        shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(UserError, match="run the same convert command again"):
        find_shards(converted, "full", split)
    convert("--regions=full")
    after = state(converted)
    assert {name: content for name, (content, _) in after.items() if name.startswith("full/")} == {
        name: content for name, (content, _) in before.items() if name.startswith("full/")
    }
    find_shards(converted, "full", split)


def test_the_index_says_who_depends_on_whom(records):
    clips = {clip.clip_id: clip for clip in read_index(records / "full")}
    fake = clips["Face2Face/020_021"]
    assert (fake.target_id, fake.source_id) == ("020", "021")
    together = {clip.clip_id for clip in clips.values() if clip.component == fake.component}
    assert together == {"original/020", "original/021", "Face2Face/020_021", "Face2Face/021_020"}


def test_no_old_shard_stands_beside_a_new_index(converted, monkeypatch):
    """Killed between the two, a shard of the same size would pass for the new one."""
    spec_hash = read_conversion(converted).spec_hash
    clip = read_index(converted / "full")[0]
    old = next((converted / "full").glob(f"*-{clip.split}.tfrecord-*"))
    count = int(old.name.rpartition("-")[2])

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shard_writer, "write_ledger_part", die)
    shard = ShardPlan(clip.split, clip.shard, count, (Video("", "new", 0, "original", "new"),))
    outcome = Outcome(ProcessedVideo({"full": [fake_clip(shard.videos[0], spec_hash)]}), "ok", "", 0.0)
    with pytest.raises(KeyboardInterrupt):
        shard_writer.write_shard(shard, ["full"], converted, [(shard.videos[0], outcome)], lambda entry: None)
    assert [each.video_id for each in read_index(converted / "full") if each.split == clip.split] == ["new"]
    assert not old.exists()


def fake_clip(video: Video, spec_hash: str) -> Clip:
    times = np.arange(NUM_FRAMES)
    boxes = np.zeros((NUM_FRAMES, 4), np.float32)
    return Clip(video.key, video, spec_hash, [b""] * NUM_FRAMES, 1, 1, times, times, boxes, times >= 0)
