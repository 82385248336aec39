import pytest

from deepfake_tfdata.clips.layouts import find_layout, read_data_set
from deepfake_tfdata.errors import UserError
from tests.clips.trees import write


def read(path, manipulations=None):
    name, place = find_layout("auto", path)
    assert name == "csv"
    return read_data_set(name, place, "c23", manipulations)


def test_two_columns_are_enough(tmp_path):
    path = write(tmp_path / "list.csv", "path,label\nin/a.mp4,real\n\n/abs/a b.avi,1\n")
    data = read(path)
    assert [(v.path, v.key, v.label, v.identities) for v in data.videos] == [
        ("/abs/a b.avi", "fake/%2F/abs/a b", 1, ("a b",)),
        (str(tmp_path / "in/a.mp4"), "original/in/a", 0, ("a",)),
    ]
    assert data.splits is None


def test_a_home_in_a_path_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    path = write(tmp_path / "list.csv", "path,label\n~/a.mp4,real\n~nobody-there/b.mp4,fake\n")
    assert {v.path for v in read(path).videos} == {"/home/me/a.mp4", f"{tmp_path}/~nobody-there/b.mp4"}


def test_every_column_is_read_whatever_the_spreadsheet_did(tmp_path):
    text = (
        "\ufeffPath, label,split,video_id,target_id,source_id,manipulation\r\n"
        '"a,1.mp4",FAKE,Test,v1,t1,s1,Swap\r\n'
        "b.mp4,0,,v2,t2,,whatever\r\n"
    )
    data = read(write(tmp_path / "list.CSV", text))
    fake, real = data.videos
    assert (fake.key, fake.label, fake.identities) == ("Swap/v1", 1, ("t1", "s1"))
    assert (real.key, real.identities) == ("original/v2", ("t2",))
    assert data.splits == {"Swap/v1": "test"}


def test_a_folder_of_images_may_be_listed_and_be_no_longer_native(tmp_path):
    path = write(tmp_path / "l.csv", "path,label,native\nframes/v1.b/,1,no\nc.mp4,1,\nd.mp4,1,Yes\n")
    assert [(v.path, v.key, v.target_id, v.native) for v in read(path).videos] == [
        (str(tmp_path / "c.mp4"), "fake/c", "c", True),
        (str(tmp_path / "d.mp4"), "fake/d", "d", True),
        (str(tmp_path / "frames/v1.b"), "fake/frames/v1.b", "v1.b", False),
    ]


def test_manipulations_are_chosen_out_of_the_file(tmp_path):
    path = write(tmp_path / "l.csv", "path,label,manipulation\na.mp4,0,\nb.mp4,1,A\nc.mp4,1,B\n")
    assert [v.key for v in read(path, ["B"]).videos] == ["B/c", "original/a"]
    with pytest.raises(UserError, match="unknown manipulation 'C'; choose from fake, A, B"):
        read(path, ["C"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with ''; expected path,label"),
        ("path\na.mp4\n", "begins with 'path'; expected path,label"),
        ("path,label,colour\na.mp4,0,red\n", "begins with 'path,label,colour'"),
        ("path,label\na.mp4,0\nb.mp4,maybe\n", "line 3 of .* has the label 'maybe'; expected 0, 1, real or"),
        ("path,label,split\na.mp4,0,dev\n", "line 2 of .* has the split 'dev'; expected train, val, test"),
        ("path,label,native\na.mp4,0,maybe\n", "line 2 of .* has the native 'maybe'; expected yes, no or"),
        ("path,label\n,0\n", "line 2 of .* has the path '': it is empty"),
        ("path,label\na.mp4\n", "line 2 of .* more or fewer fields"),
        ("path,label\na.mp4,0,1\n", "line 2 of .* more or fewer fields"),
        ("path,label,manipulation\na.mp4,1,original\n", "line 2 of .* has the manipulation 'original'"),
        ('path,label\n"a.mp4,0\n', "line 2 of .* is no CSV"),
        ("path,label\n", "no videos in"),
        ("path,label\na.mp4,0\na.avi,0\n", r"'original/a': .*a\.avi and .*a\.mp4"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        read(write(tmp_path / "list.csv", text))


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "list.csv").write_bytes("path,label\nü.mp4,0\n".encode("latin-1"))
    with pytest.raises(UserError, match="save it as UTF-8"):
        read(tmp_path / "list.csv")
