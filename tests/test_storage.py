"""Paths behind URLs, on TensorFlow's in-memory file system; tests/records/test_s3.py uses a real server."""

import pathlib

import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import atomic_path, write_text
from deepfake_tfdata.storage import UnreachableError, as_path, below, local_copy, rmtree


@pytest.fixture
def folder():
    return as_path("ram://test_storage/")


def test_a_local_name_is_a_pathlib_path_and_a_url_keeps_its_slashes():
    assert as_path("a/b") == pathlib.Path("a/b")
    assert str(as_path("s3://bucket/a/") / "b.txt") == "s3://bucket/a/b.txt"


def test_a_remote_path_behaves_as_a_local_one(folder, tmp_path):
    for root in (folder / "x", tmp_path / "x"):
        file = root / "deep" / "a.txt"
        write_text(file, "hällo")
        assert (file.name, file.stem, file.suffix, file.parent.name) == ("a.txt", "a", ".txt", "deep")
        assert file.read_text(encoding="utf-8") == "hällo"
        assert file.stat().st_size == 6
        assert (file.exists(), file.is_file(), file.is_dir()) == (True, True, False)
        assert (root.exists(), root.is_file(), root.is_dir()) == (True, False, True)
        assert [path.name for path in root.iterdir()] == ["deep"]
        assert list((root / "deep").glob("*.txt")) == list(root.rglob("*.txt")) == [file]
        assert below(file, root).as_posix() == "deep/a.txt"
        file.unlink()
        file.unlink(missing_ok=True)
        assert not file.exists()
        with pytest.raises(FileNotFoundError):
            file.read_text()


def test_a_tree_is_deleted_whole_and_its_neighbour_stays(folder, tmp_path):
    for root in (folder / "y", tmp_path / "y"):
        write_text(root / "a" / "deep" / "b.txt", "b")
        write_text(root / "kept" / "c.txt", "c")
        rmtree(root / "a")
        assert list(root.rglob("*.txt")) == [root / "kept" / "c.txt"]
        assert not (root / "a").exists()


def test_a_failed_remote_write_leaves_the_old_file_and_no_other(folder):
    path = folder / "atomic" / "a.txt"
    write_text(path, "old")
    with pytest.raises(OSError, match="broken"), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise OSError("broken")
    assert path.read_text() == "old"
    assert list((folder / "atomic").iterdir()) == [path]


def test_a_download_is_gone_after_its_use(folder):
    (folder / "video.mp4").write_bytes(b"frames")
    with local_copy("ram://test_storage/video.mp4") as name:
        assert pathlib.Path(name).read_bytes() == b"frames"
        assert name.endswith("video.mp4")
    assert not pathlib.Path(name).exists()


def test_a_folder_of_images_is_downloaded_whole():
    for name in ("000.png", "009.png"):
        as_path(f"ram://test_storage/vid.1/{name}").write_bytes(name.encode())
    with local_copy("ram://test_storage/vid.1") as name:
        assert pathlib.Path(name).name == "vid.1"
        assert sorted(path.read_bytes() for path in pathlib.Path(name).iterdir()) == [b"000.png", b"009.png"]
    assert not pathlib.Path(name).exists()


def test_a_file_that_can_not_be_downloaded_is_named():
    with pytest.raises(UnreachableError, match="none"):
        local_copy("ram://test_storage/none.mp4").__enter__()


def test_a_local_video_is_not_copied():
    with local_copy("/videos/a.mp4") as name:
        assert name == "/videos/a.mp4"


def test_an_unreachable_scheme_names_the_extra():
    with pytest.raises(UserError, match=r"nope://.*\[io\]"):
        as_path("nope://a").exists()
