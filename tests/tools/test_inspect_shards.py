"""Inspection of shards, as a user runs it."""

import json
import shutil
import subprocess

import av
import pytest
from PIL import Image

from tests.fakes import NUM_FRAMES
from tests.processes import run


def inspect(*arguments) -> subprocess.CompletedProcess:
    return run("tools.inspect_shards", *map(str, arguments))


@pytest.fixture
def copy(records, tmp_path):
    shutil.copytree(records / "mouth", tmp_path / "mouth")
    return tmp_path / "mouth"


def test_whole_shards_are_called_whole(records):
    result = inspect(records)
    assert (result.returncode, result.stdout) == (0, "9 shards, all whole\n")


def test_damage_names_the_shard_and_the_record(copy):
    train, val, test = (next(copy.glob(f"*-{split}.tfrecord-*")) for split in ("train", "val", "test"))
    content = bytearray(train.read_bytes())
    content[len(content) // 2] ^= 1
    train.write_bytes(content)
    val.write_bytes(val.read_bytes()[:-20])
    test.unlink()
    result = inspect(copy)
    assert result.returncode == 1
    missing, damaged, cut = sorted(result.stdout.splitlines(), key=lambda line: "missing" not in line)
    assert missing == f"{test}: missing"
    assert damaged.startswith(f"{train}: record ")
    assert 4 <= int(damaged.split()[2]) <= 7  # the middle of 12
    assert cut.startswith(f"{val}: record 7 ")


def test_a_shard_of_fewer_records_is_noticed(copy):
    train, val = (next(copy.glob(f"*-{split}.tfrecord-*")) for split in ("train", "val"))
    shutil.copy(val, train)
    result = inspect(train)
    assert (result.returncode, result.stdout) == (
        1,
        f"{train}: 8 records, and dataset_info.json says 12\n",
    ), result.stdout


def test_an_index_that_is_wrong_is_noticed(copy):
    index = copy / "clips.jsonl"
    clips = [json.loads(line) for line in index.read_text().splitlines()]
    clips[5]["offset"] += 3
    index.write_text("".join(json.dumps(clip) + "\n" for clip in clips))
    result = inspect(copy)
    assert result.returncode == 1
    assert ": record 5 is not where clips.jsonl has it" in result.stdout


def test_a_record_is_printed_without_its_images(records):
    result = inspect(records, "--print=Face2Face/020_021")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("clip_id: Face2Face/020_021") == 3  # a region each
    assert f"frames: {NUM_FRAMES} images" in result.stdout
    assert "frame_indices: 0, 4, 7, 11" in result.stdout


def test_a_clip_is_exported_as_a_strip_and_as_a_video(records, tmp_path):
    strip, video = tmp_path / "clip.png", tmp_path / "clip.mp4"
    for target in (strip, video):
        result = inspect(records / "mouth", "--export=original/000", f"--to={target}")
        assert result.returncode == 0, result.stderr
    width, height = Image.open(strip).size
    assert height == pytest.approx(0.35 * width / NUM_FRAMES, abs=1)
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == NUM_FRAMES


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["{tmp}"], "no shards in {tmp}"),
        (["{records}", "--print=nope"], "no clip 'nope'"),
        (["{records}", "--export=original/000", "--to=a.gif"], "--to=a.gif"),
        (["{records}", "--export=original/000", "--to=a.png"], "name one of them"),
    ],
)
def test_a_mistake_is_one_line(arguments, expected, records, tmp_path):
    result = inspect(*(argument.format(tmp=tmp_path, records=records) for argument in arguments))
    assert result.returncode == 2
    assert expected.format(tmp=tmp_path) in result.stderr.splitlines()[-1]
