"""convert --dry_run: the plan in words, and not a byte on the disk."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records import options
from deepfake_tfdata.records.dry_run import unusable_files
from deepfake_tfdata.records.output import LOCK_FILE, exclusive
from deepfake_tfdata.records.plan import expected_video_bytes
from deepfake_tfdata.records.split_check import groups_of_counts, lacking
from deepfake_tfdata.storage import as_path
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


@pytest.fixture
def tree(tmp_path):
    """Videos of eight identities, which nobody opens."""
    return make_tree(tmp_path / "in", "real/{a,b,c,d,e,f,g,h}.mp4", "fake/{a,b,c,d,e,f,g,h}.mp4")


@pytest.fixture
def dry_run(tree, command, tmp_path):
    """The status and the last line of the errors of a dry run into a folder."""

    def run(*flags, output=tmp_path / "out"):
        result = command("convert", f"--source={tree}", f"--output={output}", "--dry_run", *flags)
        return result.returncode, "".join(result.stderr.strip().splitlines()[-1:])

    return run


def test_what_the_run_would_refuse_is_refused(dry_run, tmp_path):
    (tmp_path / "file").write_text("x")
    for output in (tmp_path / "file", tmp_path / "file" / "out"):
        status, line = dry_run(output=output)
        assert (status, line.startswith(f"error: can't write to {output}: Not a directory")) == (2, True)
    with exclusive(tmp_path / "out"):
        status, line = dry_run()
        assert (status, line.startswith(f"error: process {os.getpid()} is converting")) == (2, True)
    before = (tmp_path / "out" / LOCK_FILE).read_bytes()
    assert dry_run()[0] == 0
    assert (tmp_path / "out" / LOCK_FILE).read_bytes() == before
    assert dry_run("--detector=yunet", "--detector_model=gone.onnx")[0] == 2


def test_a_home_in_a_flag_is_found_and_no_folder_of_that_name_made(tree, command, tmp_path):
    home = {"HOME": str(tmp_path)}
    flags = ["--source=~/in", "--output=~/in/real/a.mp4", "--detector=boxes", "--boxes=~/boxes", "--dry_run"]
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes" / "a.csv").touch()
    result = command("convert", *flags, "--splits=~/gone", **home)
    assert f" {tmp_path}/gone" in result.stderr
    result = command("convert", *flags, **home)
    assert f"can't write to {tmp_path}/in/real/a.mp4" in result.stderr


@pytest.mark.skipif(find_spec("apache_beam") is not None, reason="Apache Beam is installed")
def test_a_runner_that_is_not_installed_is_refused(dry_run):
    assert dry_run("--runner=beam")[1].startswith("error: --runner=beam needs Apache Beam")


def test_options_of_a_pipeline_that_are_no_command_line_are_refused(monkeypatch):
    monkeypatch.setattr(options, "find_spec", lambda name: name)
    with pytest.raises(UserError, match="--beam_options='--a can't be read: No closing quotation"):
        options.ExecutionOptions(runner="beam", beam_options="'--a")


def test_a_split_without_a_class_is_a_warning_with_advice(dry_run, tree, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    for split, pairs in {"train": ["ab", "cd"], "val": ["ef", "gh"], "test": []}.items():
        (lists / f"{split}.json").write_text(json.dumps([list(pair) for pair in pairs]))
    assert dry_run(f"--splits={lists}")[1] == (
        "warning: test has no videos; see what the split lists name, or divide the identities with "
        "--splits=hash"
    )
    for name in "efgh":
        (tree / "fake" / f"{name}.mp4").unlink()
    assert dry_run(f"--splits={lists}", "--limit=12")[1] == (
        "warning: val has no fake videos, test has no videos; for a trial that may do; a larger --limit "
        "than 12 fills them"
    )


def test_what_splits_lack_is_told_of_plans_and_of_results():
    whole = {(split, label) for split in SPLITS for label in (0, 1)}
    assert lacking(whole, "clips") == ""
    assert lacking(whole - {("val", 0)}, "clips") == "val has no real clips"
    counts = {split: {"real": 1, "fake": 2, "shards": 1} for split in SPLITS}
    assert groups_of_counts(counts) == whole
    assert groups_of_counts({**counts, "val": {"real": 0, "fake": 2}}) == whole - {("val", 0)}


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


def test_a_folder_of_images_is_no_empty_file():
    as_path("ram://test_dry_run/frames/0.png").write_bytes(b"0")
    as_path("ram://test_dry_run/empty.mp4").write_bytes(b"")
    videos = [
        Video(f"ram://test_dry_run/{name}", name, 0, "original", name) for name in ("frames", "empty.mp4")
    ]
    assert unusable_files(videos) == {"original/empty.mp4": "the file is empty"}
