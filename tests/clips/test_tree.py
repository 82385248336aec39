"""Names and links that real disks have."""

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.clips.layouts import read_data_set
from deepfake_tfdata.clips.layouts.tree import child, relative_name, video_files_below
from deepfake_tfdata.clips.video import Video, safe_text
from tests.clips.trees import make_tree

# Whatever bytes a file name may have, as Python sees them.
raw_names = st.binary(min_size=1, max_size=12).map(os.fsdecode)


@given(
    st.text(max_size=20) | raw_names | st.sampled_from(["..", "a/../b", "/etc", "a\nb", "\x00", "./x", "//"])
)
def test_a_name_becomes_one_line_of_text_that_climbs_nowhere(name):
    safe = safe_text(name)
    assert safe.encode().decode() == safe
    assert len(safe.splitlines()) <= 1
    assert "\0" not in safe
    assert Path("/folder", safe) == Path(os.path.normpath(f"/folder/{safe}"))
    assert safe_text(safe) == safe
    assert Video("", name, 0, "original", "x").key == f"original/{safe}"


def test_composed_and_decomposed_names_are_one_identity():
    assert safe_text("e\u0301") == safe_text("\u00e9")


def test_links_are_followed_and_never_loop(tmp_path):
    make_tree(tmp_path, "data/real/a.mp4", "elsewhere/b.MKV")
    real = tmp_path / "data" / "real"
    (real / "up").symlink_to(real.parent)
    (real / "itself").symlink_to(real / "itself")
    (real / "c.mp4").symlink_to(real / "c.mp4")
    (real / "other").symlink_to(tmp_path / "elsewhere")
    (real / "again").symlink_to(tmp_path / "elsewhere")
    names = [relative_name(path, real) for path in video_files_below(real)]
    assert names == ["a", "c", "again/b"]


def test_names_of_any_bytes_reach_the_data_set(tmp_path):
    for name in (b"new\nline.mp4", b"\xff.mp4", "ä ö.mp4".encode()):
        path = Path(os.fsdecode(os.fsencode(tmp_path / "real") + b"/" + name))
        path.parent.mkdir(exist_ok=True)
        path.touch()
    make_tree(tmp_path, "fake/x.mp4")
    data = read_data_set("folders", tmp_path, "c23", None)
    keys = [video.key for video in data.videos]
    assert keys == ["fake/x", "original/%DCFF", "original/new%0Aline", "original/ä ö"]
    assert all(Path(video.path).exists() for video in data.videos)


def test_a_folder_is_found_in_any_case(tmp_path):
    make_tree(tmp_path, "ORIGINAL/a.mp4")
    assert child(tmp_path, "original").name == "ORIGINAL"
    assert not child(tmp_path, "missing").exists()


def test_a_folder_of_images_and_nothing_else_is_a_video(tmp_path):
    make_tree(
        tmp_path,
        "real/a/{0.png,1.PNG,.DS_Store,Thumbs.db}",
        "real/deep/v1.b/{0.jpg,1.webp}",
        "real/mixed/{0.png,notes.txt}",
        "real/{0.png,1.png}",
        "fake/a/{0.bmp,1.jpeg}",
    )
    (tmp_path / "real" / "empty").mkdir()
    data = read_data_set("folders", tmp_path, "c23", None)
    assert [(video.key, video.target_id) for video in data.videos] == [
        ("fake/a", "a"),
        ("original/a", "a"),
        ("original/deep/v1.b", "v1.b"),
    ]
