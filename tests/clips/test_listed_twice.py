"""A file counts once, whatever it is called."""

import os

import pytest

from deepfake_tfdata.clips.layouts import find_layout, read_data_set
from deepfake_tfdata.errors import UserError
from tests.clips.trees import make_tree, write


def read(source):
    return read_data_set(*find_layout("auto", source), "c23", None)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a.mp4,real,1,\na.mp4,fake,2,\n",
         r"'fake/2' \(fake of 'a'\) and 'original/1' \(real of 'a'\) are one file: .*a\.mp4 and .*a\.mp4"),
        ("a.mp4,fake,1,x\n./in/../a.mp4,fake,2,y\n", r"'fake/1' \(fake of 'x'\) and 'fake/2' \(.*'y'\)"),
        ("a.mp4,fake,1,\na.mp4,fake,2,\n", "'fake/1' .* and 'fake/2' .* are one file"),
        ("a.mp4,fake,1,\nsymbolic.mp4,real,2,\n", "one file: .*a.mp4 and .*symbolic.mp4; keep the one that"),
        ("a.mp4,fake,1,\nhard.mp4,real,2,\n", "one file: .*a.mp4 and .*hard.mp4"),
        ("gone.mp4,fake,1,\nin/../gone.mp4,real,2,\n", "one file"),
        ("gs://b/a.mp4,fake,1,\ngs://b/a.mp4,real,2,\n", "one file: gs://b/a.mp4 and gs://b/a.mp4"),
        ("frames/v,fake,1,\nframes/v/,real,2,\n", "one file"),
    ],
)  # fmt: skip
def test_one_file_listed_twice_is_refused_and_both_are_named(tmp_path, rows, message):
    make_tree(tmp_path, "a.mp4", "in/x.txt", "frames/v/0.png")
    (tmp_path / "symbolic.mp4").symlink_to(tmp_path / "a.mp4")
    os.link(tmp_path / "a.mp4", tmp_path / "hard.mp4")
    with pytest.raises(UserError, match=message):
        read(write(tmp_path / "list.csv", "path,label,video_id,target_id\n" + rows))


def test_a_link_from_real_to_fake_is_refused_and_copies_are_not(tmp_path):
    make_tree(tmp_path, "real/{a,gone}.mp4", "fake/{a,gone}.mp4")
    (tmp_path / "real" / "gone.mp4").unlink()
    (tmp_path / "real" / "gone.mp4").symlink_to("nowhere.mp4")
    assert len(read(tmp_path).videos) == 4
    (tmp_path / "fake" / "b.mp4").symlink_to("../real/a.mp4")
    with pytest.raises(UserError, match=r"'fake/b' .* and 'original/a' .* are one file"):
        read(tmp_path)


def test_reals_and_fakes_of_two_geometries_are_refused(tmp_path):
    make_tree(tmp_path, "{a,b}.mp4")
    rows = "path,label,native\na.mp4,real,\nb.mp4,fake,no\n"
    with pytest.raises(UserError, match="all fake videos are faces already resized and no other video is"):
        read(write(tmp_path / "list.csv", rows))
    assert len(read(write(tmp_path / "list.csv", rows.replace("real,", "real,no"))).videos) == 2
