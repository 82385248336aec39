"""The data sets beside FaceForensics++."""

import json

import pytest

from deepfake_tfdata.clips.layouts import find_layout, read_data_set
from deepfake_tfdata.errors import UserError
from tests.clips.trees import make_tree, write


def read(source, manipulations=None):
    name, place = find_layout("auto", source)
    return name, read_data_set(name, place, "c23", manipulations)


def identities(data):
    return {video.key: (video.label, *video.identities) for video in data.videos}


@pytest.fixture
def celebdf(tmp_path):
    make_tree(
        tmp_path,
        "Celeb-real/{id0_0000,id0_0001,id1_0000,id7_0000,id8_0000}.mp4",
        "YouTube-real/{00000,00170}.mp4",
        "Celeb-synthesis/{id0_id1_0000,id7_id8_0000,id7_id0_0000}.mp4",
    )
    lines = ("1 YouTube-real/00170.mp4", "1 Celeb-real/id0_0000.mp4", "0 Celeb-synthesis/id0_id1_0000.mp4")
    write(tmp_path / "List_of_testing_videos.txt", "\n".join(lines) + "\n")
    return tmp_path


def test_celebdf_knows_its_people_and_its_inverted_test_list(celebdf):
    name, data = read(celebdf)
    assert name == "celebdf"
    assert identities(data) == {
        "Celeb-synthesis/id0_id1_0000": (1, "id0", "id1"),
        "Celeb-synthesis/id7_id0_0000": (1, "id7", "id0"),
        "Celeb-synthesis/id7_id8_0000": (1, "id7", "id8"),
        "original/00000": (0, "youtube 00000"),
        "original/00170": (0, "youtube 00170"),
        "original/id0_0000": (0, "id0"),
        "original/id0_0001": (0, "id0"),
        "original/id1_0000": (0, "id1"),
        "original/id7_0000": (0, "id7"),
        "original/id8_0000": (0, "id8"),
    }
    tested = {key for key, split in data.splits.items() if split == "test"}
    assert tested == {"original/00170", "original/id0_0000", "Celeb-synthesis/id0_id1_0000"}
    assert data.missing == []


def test_celebdf_without_its_list_says_so(celebdf):
    (celebdf / "List_of_testing_videos.txt").unlink()
    _, data = read(celebdf)
    assert data.splits is None
    assert data.missing == ["List_of_testing_videos.txt"]


def test_celebdf_refuses_a_list_in_our_own_convention(celebdf):
    write(celebdf / "List_of_testing_videos.txt", "1 YouTube-real/00170.mp4\n0 Celeb-real/id0_0000.mp4\n")
    with pytest.raises(UserError, match=r"line 2 of .* is '0 Celeb-real/id0_0000\.mp4'"):
        read(celebdf)


def test_celebdf_is_read_from_faces_that_deepfakebench_cut(tmp_path):
    make_tree(
        tmp_path,
        "Celeb-real/frames/{id0_0000,id1_0000}/000.png",
        "YouTube-real/frames/00170/000.png",
        "Celeb-synthesis/frames/id0_id1_0000/000.png",
    )
    write(tmp_path / "List_of_testing_videos.txt", "1 Celeb-real/id0_0000.mp4\n")
    name, data = read(tmp_path)
    assert name == "celebdf"
    assert identities(data) == {
        "Celeb-synthesis/id0_id1_0000": (1, "id0", "id1"),
        "original/00170": (0, "youtube 00170"),
        "original/id0_0000": (0, "id0"),
        "original/id1_0000": (0, "id1"),
    }
    assert data.splits["original/id0_0000"] == "test"
    assert (data.missing, [video.native for video in data.videos]) == ([], [False] * 4)


def dfdc_part(root, number, originals=1):
    folder = root / f"dfdc_train_part_{number}"
    table = {}
    for index in range(originals):
        real, fake = f"r{number}{index}.mp4", f"f{number}{index}.mp4"
        table[real] = {"label": "REAL", "split": "train", "original": None}
        table[fake] = {"label": "FAKE", "split": "train", "original": real}
    make_tree(folder, *table)
    write(folder / "metadata.json", json.dumps(table))
    return folder


def test_dfdc_joins_fakes_to_their_originals_and_tests_on_the_test_folder(tmp_path):
    dfdc_part(tmp_path / "train", 0)
    make_tree(tmp_path / "test", "{a,b}.mp4")
    write(tmp_path / "test" / "labels.csv", "filename,label\na.mp4,0\nb.mp4,1\n")
    name, data = read(tmp_path)
    assert name == "dfdc"
    assert identities(data) == {
        "DFDC/b": (1, "b"),
        "DFDC/f00": (1, "r00"),
        "original/a": (0, "a"),
        "original/r00": (0, "r00"),
    }
    assert data.splits["original/a"] == data.splits["DFDC/b"] == "test"
    assert data.splits["original/r00"] == data.splits["DFDC/f00"] in ("train", "val")


def test_dfdc_keeps_parts_whole_where_there_are_enough(tmp_path):
    for number in range(12):
        dfdc_part(tmp_path, number, originals=6)
    _, data = read(tmp_path)
    by_part = {}
    for video in data.videos:
        by_part.setdefault(video.path.split("/")[-2], set()).add(data.splits[video.key])
    assert all(len(splits) == 1 for splits in by_part.values())
    assert len(by_part) == 12


def test_dfdc_divides_a_single_part_by_original(tmp_path):
    _, data = read(dfdc_part(tmp_path, 0, originals=60))
    assert set(data.splits.values()) == {"train", "val", "test"}


def test_dfdc_counts_what_is_not_there_and_what_has_no_label(tmp_path):
    folder = dfdc_part(tmp_path, 0)
    (folder / "f00.mp4").unlink()
    make_tree(folder, "new.mp4")
    assert read(tmp_path)[1].missing == ["1 labelled videos", "the labels of 1 videos, which are passed over"]


@pytest.mark.parametrize("text", ["", "[1]", '{"a.mp4": {}}', '{"a.mp4": {"label": "MAYBE"}}'])
def test_dfdc_refuses_a_damaged_table(tmp_path, text):
    make_tree(tmp_path, "dfdc_train_part_0/a.mp4")
    write(tmp_path / "dfdc_train_part_0" / "metadata.json", text)
    with pytest.raises(UserError, match=r"metadata\.json (is no table|has the label 'MAYBE' for a\.mp4)"):
        read(tmp_path)


@pytest.fixture
def deeperforensics(tmp_path):
    for split, name in (("train", "000_W101"), ("val", "001_M004"), ("test", "002_M005")):
        write(tmp_path / "lists" / "splits" / f"{split}.txt", f"{name}.mp4\n")
    return make_tree(
        tmp_path,
        "manipulated_videos/{end_to_end,reenact_postprocess}/{000_W101,001_M004,002_M005,003_M005}.mp4",
        "source_videos/W101/light_up/happy/camera_front/W101_light_up_happy_camera_front.mp4",
        "original_sequences/youtube/c23/videos/{000,001,002,009}.mp4",
    )


def test_deeperforensics_takes_the_originals_of_ffpp_as_reals(deeperforensics):
    name, data = read(deeperforensics, ["end_to_end"])
    assert name == "deeperforensics"
    assert identities(data)["end_to_end/000_W101"] == (1, "000", "W101")
    assert {video.video_id for video in data.videos if video.label == 0} == {"000", "001", "002", "009"}
    assert data.splits == {
        "end_to_end/000_W101": "train",
        "end_to_end/001_M004": "val",
        "end_to_end/002_M005": "test",
        "original/000": "train",
        "original/001": "val",
        "original/002": "test",
    }


def test_deeperforensics_says_that_it_needs_ffpp(tmp_path):
    _, data = read(make_tree(tmp_path, "manipulated_videos/end_to_end/000_W101.mp4"), ["end_to_end"])
    assert data.missing == [
        "the originals of FaceForensics++ (original_sequences/youtube/c23/videos)",
        "split lists (lists/splits)",
    ]


def test_fakeavceleb_looks_and_does_not_listen(tmp_path):
    make_tree(
        tmp_path / "FakeAVCeleb_v1.2",
        "RealVideo-RealAudio/African/men/id00076/00109.mp4",
        "RealVideo-FakeAudio/African/men/id00076/00109_fake.mp4",
        "FakeVideo-RealAudio/Asian (East)/women/id00056/00028_id00597_wavtolip.mp4",
        "FakeVideo-FakeAudio/African/men/id00366/00118_id00076_Isiq7cA-DNE_faceswap_id01779_wavtolip.mp4",
    )
    rows = (
        "source,target1,target2,method,category,type,race,gender,path,",
        "id00056,id00597,-,wav2lip,C,FakeVideo-RealAudio,Asian (East),women,00028_id00597_wavtolip.mp4,"
        "FakeAVCeleb/FakeVideo-RealAudio/Asian (East)/women/id00056",
        "id00366,id00076,id01779,faceswap-wav2lip,D,FakeVideo-FakeAudio,African,men,"
        "00118_id00076_Isiq7cA-DNE_faceswap_id01779_wavtolip.mp4,"
        "FakeAVCeleb/FakeVideo-FakeAudio/African/men/id00366",
    )
    write(tmp_path / "FakeAVCeleb_v1.2" / "meta_data.csv", "\n".join(rows))
    name, data = read(tmp_path)
    assert name == "fakeavceleb"
    found = [(v.manipulation, v.label, v.target_id, v.source_id) for v in data.videos]
    assert found == [
        ("faceswap-wav2lip", 1, "id00366", "id00076"),
        ("original", 0, "id00076", ""),
        ("original", 0, "id00076", ""),
        ("wav2lip", 1, "id00056", ""),
    ]
    assert [v.manipulation for v in read(tmp_path, ["wav2lip"])[1].videos] == ["original"] * 2 + ["wav2lip"]


def test_fakeavceleb_without_its_table_goes_by_category(tmp_path):
    make_tree(tmp_path, "FakeVideo-RealAudio/African/men/id00076/00109_2_id00166_wavtolip.mp4")
    _, data = read(tmp_path)
    assert [(v.manipulation, v.source_id) for v in data.videos] == [("FakeVideo-RealAudio", "id00166")]
    assert data.missing[0] == "meta_data.csv, so methods are named by category"


def test_plain_folders_are_read_to_any_depth_and_join_equal_names(tmp_path):
    make_tree(tmp_path, "Real/a.MP4", "Real/deep/er/ü b.mov", "FAKE/x/a.webm", "FAKE/notes.txt")
    name, data = read(tmp_path)
    assert name == "folders"
    assert identities(data) == {
        "fake/x/a": (1, "a"),
        "original/a": (0, "a"),
        "original/deep/er/ü b": (0, "ü b"),
    }
