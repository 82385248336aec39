"""The convert command on real videos, interrupted and not."""

import json
import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.records.example import decode_frames, parse_example
from tests.conftest import PAIRS
from tests.fakes import FRAME_SIZE, NUM_FRAMES, blank_frames, face_frames, write_video


def shard_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.tfrecord-*"))}


def ledger(folder: Path) -> dict[str, dict]:
    lines = (folder / "ledger.jsonl").read_text().splitlines()
    return {entry["video"]: entry for entry in map(json.loads, lines)}


def test_every_video_is_converted_into_its_split(records):
    conversion = json.loads((records / "conversion.json").read_text())
    assert conversion["complete"]
    for split, pairs in PAIRS.items():
        counts = conversion["counts"][split]
        assert counts["real"] == counts["fake"] == 2 * len(pairs)
        of_class = 2 * len(pairs)
        assert counts["planned"] == {"real": {"original": of_class}, "fake": {"Face2Face": of_class}}
    assert {entry["status"] for entry in ledger(records).values()} == {"ok"}
    assert set(next(iter(ledger(records).values()))) == {
        "video",
        "status",
        "reason",
        "clips",
        "seconds",
        "content",
        *vars(FaceStatistics()),
    }


def test_records_hold_what_the_contract_says(records):
    spec = ClipSpec(num_frames=NUM_FRAMES, frame_size=FRAME_SIZE)
    (shard,) = (records / "mouth").glob("*-test.tfrecord-*")
    clips = [parse_example(record, NUM_FRAMES) for record in tf.data.TFRecordDataset(str(shard))]
    fake = next(clip for clip in clips if clip["clip_id"] == "Face2Face/020_021")
    assert (int(fake["label"]), fake["target_id"], fake["source_id"]) == (1, "020", "021")
    assert fake["spec_hash"] == spec.hash
    assert fake["frame_indices"].numpy().tolist() == [0, 4, 7, 11]
    # The mouth as it is in the video: as wide as its box, 35 % as high, three bytes a pixel.
    boxes = fake["boxes"].numpy()
    assert (int(fake["height"]), int(fake["width"])) == (boxes[0, 3] - boxes[0, 1], boxes[0, 2] - boxes[0, 0])
    assert int(fake["height"]) == pytest.approx(0.35 * int(fake["width"]), abs=1)
    pixels = decode_frames(fake["frames"], "raw", NUM_FRAMES, fake["height"], fake["width"])
    assert pixels.shape == (NUM_FRAMES, fake["height"], fake["width"], 3)
    assert fake["boxes"].shape == (NUM_FRAMES, 4)
    assert bool(tf.reduce_all(fake["face_found"]))
    assert float(fake["timestamps"][-1]) == pytest.approx(11 / 25)


def test_regions_have_the_same_clips_in_the_same_order(records):
    orders = []
    for region in ("full", "eyes", "mouth"):
        (shard,) = (records / region).glob("*-train.tfrecord-*")
        parsed = [parse_example(record, NUM_FRAMES) for record in tf.data.TFRecordDataset(str(shard))]
        orders.append([clip["clip_id"].numpy() for clip in parsed])
    assert orders[0] == orders[1] == orders[2]


def test_worker_count_changes_no_byte(records, convert_flags, command, tmp_path):
    result = command("convert", *convert_flags, f"--output={tmp_path}", "--workers=1")
    assert result.returncode == 0, result.stderr
    assert shard_bytes(tmp_path) == shard_bytes(records)


@pytest.mark.slow
def test_a_deleted_shard_is_made_again(records, convert_flags, command, tmp_path):
    output = tmp_path / "copy"
    shutil.copytree(records, output)
    next((output / "eyes").glob("*-val.tfrecord-*")).unlink()
    result = command("convert", *convert_flags, f"--output={output}")
    assert result.returncode == 0, result.stderr
    assert shard_bytes(output) == shard_bytes(records)


@pytest.mark.slow
def test_a_damaged_ledger_is_made_again(records, convert_flags, command, tmp_path):
    output = shutil.copytree(records, tmp_path / "copy")
    (output / "ledger.jsonl").write_bytes(b"\xff\xfe" + (output / "ledger.jsonl").read_bytes())
    result = command("convert", *convert_flags, f"--output={output}")
    assert result.returncode == 0, result.stderr
    assert ledger(output).keys() == ledger(records).keys()
    assert shard_bytes(output) == shard_bytes(records)


def test_what_can_not_be_used_is_in_the_ledger_with_its_reason(tmp_path, command):
    folder = tmp_path / "source" / "original_sequences" / "youtube" / "c23" / "videos"
    write_video(folder / "000.mp4", face_frames(10))
    write_video(folder / "001.mp4", blank_frames(10))
    write_video(folder / "002.mp4", face_frames(3))
    (folder / "003.mp4").write_text("a text file")
    (folder / "004.mp4").touch()
    output = tmp_path / "records"
    result = command("convert", f"--source={tmp_path / 'source'}", f"--output={output}", "--num_frames=4")
    assert result.returncode == 0, result.stderr
    statuses = {key: entry["status"] for key, entry in ledger(output).items()}
    assert statuses == {
        "original/000": "ok",
        "original/001": "no_face",
        "original/002": "too_short",
        "original/003": "unreadable",
        "original/004": "unreadable",
    }
    assert all(entry["reason"] for entry in ledger(output).values() if entry["status"] != "ok")
    counts = json.loads((output / "conversion.json").read_text())["counts"].values()
    assert sum(split["real"] for split in counts) == 1
    assert sum(split["planned"]["real"].get("original", 0) for split in counts) == 5
    # Whom those show that the index does not have.
    without = [video for split in counts for video in split["without_clips"]]
    assert {video["component"] for video in without} == {"001", "002", "003", "004"}
    assert all((video["label"], video["manipulation"]) == (0, "original") for video in without)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["jpeg", "png", "raw", "webp"])
def test_tensorflow_datasets_reads_the_same_pixels(encoding, convert_flags, command, tmp_path):
    tfds = pytest.importorskip("tensorflow_datasets")
    from deepfake_tfdata import load_clips

    flags = [*convert_flags, f"--output={tmp_path}", "--geometry=resized", f"--encoding={encoding}"]
    result = command("convert", *flags, "--regions=mouth", "--limit=6")
    assert result.returncode == 0, result.stderr
    builder = tfds.builder_from_directory(str(tmp_path / "mouth"))
    theirs = {example["clip_id"].numpy(): example for example in builder.as_dataset(split="train")}
    count = 0
    for features, labels in load_clips(tmp_path, "mouth", "train", 1):
        example = theirs[features["clip_id"].numpy()[0]]
        frames = example["frames"]
        if encoding == "webp":  # which they hand on as it is
            frames = decode_frames(frames, encoding, NUM_FRAMES, FRAME_SIZE, FRAME_SIZE)
        # Of JPEG they use a faster transform.
        difference = tf.abs(tf.cast(features["frames"][0], tf.int32) - tf.cast(frames, tf.int32))
        assert int(tf.reduce_max(difference)) <= (6 if encoding == "jpeg" else 0)
        tf.debugging.assert_equal(labels[0], example["label"])
        tf.debugging.assert_equal(features["boxes"][0], example["boxes"])
        count += 1
    assert count == len(theirs) == builder.info.splits["train"].num_examples > 0


def test_tensorflow_datasets_opens_native_records(records):
    tfds = pytest.importorskip("tensorflow_datasets")
    builder = tfds.builder_from_directory(str(records / "mouth"))
    assert builder.info.splits["train"].num_examples == 12
    example = next(iter(builder.as_dataset(split="test")))
    pixels = decode_frames(example["frames"], "raw", NUM_FRAMES, example["height"], example["width"])
    assert pixels.shape == (NUM_FRAMES, example["height"], example["width"], 3)
