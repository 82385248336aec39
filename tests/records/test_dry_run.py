"""convert --dry_run: the plan in words, and not a byte on the disk."""

import os
import subprocess
import sys

import pytest

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.dry_run import unusable_files
from deepfake_tfdata.records.plan import expected_video_bytes
from tests.clips.trees import make_tree


def test_the_plan_is_printed_and_nothing_written(ffpp_tree, convert_flags, command, tmp_path):
    before = sorted(ffpp_tree.rglob("*"))
    result = command("convert", *convert_flags, f"--output={tmp_path / 'out'}", "--dry_run")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines == [
        "FaceForensics++ official: 14 originals, Face2Face 14; missing: Deepfakes, FaceShifter, FaceSwap, "
        "NeuralTextures, DeepFakeDetection",
        "divided by split lists: train 12, val 8, test 8",
        "split  class  method     videos",
        "train  real   original   6",
        "train  fake   Face2Face  6",
        "val    real   original   4",
        "val    fake   Face2Face  4",
        "test   real   original   4",
        "test   fake   Face2Face  4",
        "shards of each region: train 1, val 1, test 1",
        "expected size, about: full 20 MiB, eyes 7.01 MiB, mouth 7.01 MiB",
        "this was a dry run: nothing was written",
    ]
    assert not (tmp_path / "out").exists()
    assert sorted(ffpp_tree.rglob("*")) == before


@pytest.mark.slow
def test_a_reader_that_has_gone_ends_nothing(convert_flags, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "deepfake_tfdata.convert", *convert_flags, f"--output={tmp_path}"]
    result = subprocess.run([*command, "--dry_run"], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert result.returncode == 0
    assert "BrokenPipe" not in result.stderr


def test_what_will_be_skipped_is_named_with_its_reason(command, tmp_path):
    source = make_tree(tmp_path / "in", "real/{a,b,c,d}.mp4", "fake/a.mp4")
    (source / "real" / "e.mp4").symlink_to(source / "real" / "e.mp4")
    (source / "real" / "f.mp4").symlink_to(source / "nowhere")
    (source / "real" / "g.mp4").write_bytes(b"x")
    result = command("convert", f"--source={source}", f"--output={tmp_path / 'out'}", "--dry_run")
    assert result.returncode == 0, result.stderr
    skipped = [line for line in result.stdout.splitlines() if line.startswith("will be skipped")]
    assert len(skipped) == 3
    assert skipped[0].startswith("will be skipped: 1, the file can't be read: No such file")
    assert skipped[1].startswith("will be skipped: 1, the file can't be read: Too many levels")
    assert skipped[2] == ("will be skipped: 5, the file is empty (fake/a, original/a, original/b, ...)")


def test_a_good_file_has_no_reason(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")
    assert unusable_files([Video(str(path), "a", 0, "original", "a")]) == {}


@pytest.mark.parametrize(("clips", "sampling"), [(1, "linspace"), (3, "consecutive")])
def test_the_expected_size_counts_every_clip(clips, sampling):
    spec = ClipSpec(
        num_frames=10,
        frame_size=100,
        clips_per_video=clips,
        sampling=sampling,
        geometry="resized",
        encoding="jpeg",
    )
    assert expected_video_bytes(spec, "mouth") == pytest.approx(clips * 10 * 100 * 100 * 0.4)


def test_the_expected_size_of_native_crops_is_that_of_their_region():
    spec = ClipSpec(num_frames=10, max_side=100)
    assert expected_video_bytes(spec, "full") == pytest.approx(10 * 100 * 100 * 3)
    assert expected_video_bytes(spec, "mouth") == pytest.approx(10 * 100 * 35 * 3)
