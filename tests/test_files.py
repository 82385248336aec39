import pytest

from deepfake_tfdata.files import PartedFile, atomic_path, write_json, write_text
from deepfake_tfdata.storage import as_path


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "metrics.json"
    write_text(path, "old")
    with pytest.raises(OSError, match="disk full"), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise OSError("disk full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_visible_before_it_is_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"


@pytest.mark.parametrize("root", ["{tmp_path}", "ram://test_files"])
def test_the_whole_file_replaces_its_parts(root, tmp_path):
    folder = as_path(root.format(tmp_path=tmp_path))
    file = PartedFile(folder / "ledger.jsonl")
    file.write(["a"])
    file.write_part("2", ["c"])
    file.write_part("1", ["b", "b"])
    assert file.read() == [["a"], ["b", "b"], ["c"]]
    file.write(["a", "b", "b", "c"])
    assert file.read() == [["a", "b", "b", "c"]]
    assert list(folder.iterdir()) == [file.path]


def test_json_holds_no_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"auc": float("nan")})
    assert not list(tmp_path.iterdir())
