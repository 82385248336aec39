"""The convert command's flags of faces and sampling, from the command line to the records."""

import json

import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import load_clips
from deepfake_tfdata.records.example import parse_example
from tests.conftest import PAIRS
from tests.fakes import NUM_FRAMES, face_frames, write_video

FLAGS = ["--regions=mouth", "--sampling=consecutive", "--clips_per_video=2", "--share_tracks"]


@pytest.fixture(scope="module")
def shared_records(convert_flags, command, tmp_path_factory):
    output = tmp_path_factory.mktemp("shared") / "records"
    result = command("convert", *convert_flags, *FLAGS, f"--output={output}", "--workers=2")
    assert result.returncode == 0, result.stderr
    return output


def ledger(folder):
    return [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]


def clips_of(folder, split):
    (shard,) = (folder / "mouth").glob(f"*-{split}.tfrecord-*")
    parsed = (parse_example(record, NUM_FRAMES) for record in tf.data.TFRecordDataset(str(shard)))
    return {clip["clip_id"].numpy().decode(): clip for clip in parsed}


@pytest.mark.slow
def test_every_clip_of_a_video_is_a_record_and_is_counted(shared_records):
    counts = json.loads((shared_records / "conversion.json").read_text())["counts"]
    info = json.loads((shared_records / "mouth" / "dataset_info.json").read_text())
    assert {entry["clips"] for entry in ledger(shared_records)} == {2}
    for split in info["splits"]:
        pairs = len(PAIRS[split["name"]])
        assert counts[split["name"]]["real"] == counts[split["name"]]["fake"] == 4 * pairs
        assert split["shardLengths"] == [str(8 * pairs)]
    clips = clips_of(shared_records, "test")
    assert clips["original/020#0"]["frame_indices"].numpy().tolist() == [1, 2, 3, 4]
    assert clips["original/020#1"]["frame_indices"].numpy().tolist() == [7, 8, 9, 10]
    seen = [features["clip_id"].numpy()[0] for features, _ in load_clips(shared_records, "mouth", "test", 1)]
    assert len(set(seen)) == len(seen) == 16


@pytest.mark.slow
def test_a_fake_is_cut_where_its_original_is(shared_records):
    tracks = {entry["video"]: entry["track"] for entry in ledger(shared_records)}
    assert {track for video, track in tracks.items() if video.startswith("Face2Face")} == {"shared"}
    assert {track for video, track in tracks.items() if video.startswith("original")} == {"own"}
    clips = clips_of(shared_records, "test")
    for number in (0, 1):
        real, fake = (clips[f"{key}#{number}"]["boxes"] for key in ("original/020", "Face2Face/020_021"))
        np.testing.assert_array_equal(real, fake)


def test_boxes_of_a_file_are_used_and_a_changed_file_is_another_spec(tmp_path, command):
    source = tmp_path / "source" / "original_sequences" / "youtube" / "c23" / "videos"
    write_video(source / "000.mp4", face_frames(8))
    write_video(source / "001.mp4", face_frames(8))
    boxes = tmp_path / "boxes" / "original" / "000.csv"
    boxes.parent.mkdir(parents=True)
    boxes.write_text("frame,left,top,right,bottom\n" + "".join(f"{i},60,70,140,150\n" for i in range(8)))
    flags = [f"--source={tmp_path / 'source'}", f"--output={tmp_path / 'out'}", "--num_frames=4"]
    flags += ["--regions=full", "--detector=boxes", f"--boxes={tmp_path / 'boxes'}"]
    result = command("convert", *flags)
    assert result.returncode == 0, result.stderr
    with_boxes, without = ledger(tmp_path / "out")
    if with_boxes["video"] != "original/000":
        with_boxes, without = without, with_boxes
    assert (with_boxes["status"], with_boxes["face_size"]) == ("ok", 80)
    assert without["status"] == "no_boxes"
    boxes.write_text(boxes.read_text().replace("150", "151"))
    result = command("convert", *flags)
    assert result.returncode == 2
    assert "detector_hash" in result.stderr


def test_a_mistake_is_answered_in_one_line(ffpp_tree, command, tmp_path):
    result = command("convert", f"--source={ffpp_tree}", f"--output={tmp_path}", "--boxes=nowhere")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "--boxes is for --detector=boxes, not for --detector=haar" in result.stderr
