"""The data sets since 2019's: Celeb-DF++, DF40, and the preview of DFDC; what they leave out, and why."""

import json

import pytest

from deepfake_tfdata.clips.layouts import LAYOUTS, find_layout, read_data_set
from deepfake_tfdata.clips.video_selection import SelectionOptions, select_videos
from deepfake_tfdata.errors import UserError
from tests.clips.trees import make_tree, write

TREES = {
    "deeperforensics": ["manipulated_videos/end_to_end/000_W101.mp4"],
    "ffpp": ["manipulated_sequences/Face2Face/c23/videos/000_003.mp4"],
    "ffpp_mirror": ["original/000.mp4", "Face2Face/000_003.mp4"],
    "celebdf": ["Celeb-real/id0_0000.mp4", "Celeb-synthesis/id0_id1_0000.mp4"],
    "celebdfpp": ["Celeb-real/id0_0000.mp4", "Celeb-synthesis/FaceSwap/SimSwap/id0_id1_0000.mp4"],
    "fakeavceleb": ["RealVideo-RealAudio/African/men/id00076/00109.mp4"],
    "dfdc": ["dfdc_train_part_0/a.mp4", "dfdc_train_part_0/metadata.json"],
    "dfdcp": ["dataset.json", "original_videos/643049/643049_A_001.mp4"],
    "df40": ["DF40/simswap/ff/frames/000_003/000.png", "FaceForensics++/dataset.txt"],
    "folders": ["real/a.mp4", "fake/a.mp4"],
}


def read(source, manipulations=None):
    name, place = find_layout("auto", source)
    return name, read_data_set(name, place, "c23", manipulations)


def described(data):
    return [(video.key, *video.identities, video.original_id) for video in data.videos]


def test_every_tree_is_recognised_by_its_own_layout_only(tmp_path):
    for name, tree in TREES.items():
        root = make_tree(tmp_path / name, *tree)
        assert [known for known, layout in LAYOUTS.items() if layout.recognises(root)] == [name]
    assert set(LAYOUTS) - set(TREES) == {"csv", "deepfakebench"}  # files


CELEBDFPP = (
    "Celeb-real/{id0_0000,id1_0000,id7_0000}.mp4",
    "YouTube-real/{00000,00170}.mp4",
    "Celeb-synthesis/FaceSwap/{Celeb-DF,SimSwap}/{id0_id1_0000,id7_id8_0000}.mp4",
    "Celeb-synthesis/FaceReenact/LIA/{id7_id8_0003,draft}.mp4",
    "Celeb-synthesis/TalkingFace/FLOAT/id7_0000_test_id9_0004.mp4",
)
TEST_LIST = (
    "1 YouTube-real/00170.mp4\n"
    "0 Celeb-synthesis/FaceSwap/SimSwap/id0_id1_0000.mp4\n"
    "0 Celeb-synthesis/TalkingFace/SadTalker/id0_0000_test_id9_0004.mp4\n"
)


def test_celebdfpp_knows_the_people_of_its_three_kinds(tmp_path):
    write(make_tree(tmp_path, *CELEBDFPP) / "List_of_testing_videos.txt", TEST_LIST)
    name, data = read(tmp_path, ["SimSwap", "LIA", "FLOAT"])
    assert name == "celebdfpp"
    assert described(data) == [
        ("FLOAT/id7_0000_test_id9_0004", "id7", "id7_0000"),
        ("LIA/id7_id8_0003", "id7", "id8", "id7_0003"),
        ("SimSwap/id0_id1_0000", "id0", "id1", "id0_0000"),
        ("SimSwap/id7_id8_0000", "id7", "id8", "id7_0000"),
        ("original/00000", "youtube 00000", ""),
        ("original/00170", "youtube 00170", ""),
        ("original/id0_0000", "id0", ""),
        ("original/id1_0000", "id1", ""),
        ("original/id7_0000", "id7", ""),
    ]
    tested = {key for key, split in data.splits.items() if split == "test"}
    assert tested == {"SimSwap/id0_id1_0000", "original/00170"}
    # What the list has of methods that nobody asked for is not missing.
    assert data.missing == []
    assert data.notes == [
        "passed over: 1 videos whose names are not Celeb-DF++'s "
        "(the first: Celeb-synthesis/FaceReenact/LIA/draft.mp4)"
    ]
    everything = read(tmp_path)[1]
    assert everything.methods == {"Celeb-DF": 2, "SimSwap": 2, "LIA": 1, "FLOAT": 1}


def test_celebdfpp_lets_nobody_cross(tmp_path):
    write(make_tree(tmp_path, *CELEBDFPP) / "List_of_testing_videos.txt", TEST_LIST)
    assignment = select_videos(tmp_path, SelectionOptions()).assignment
    assert set(assignment.left_out) == {"Celeb-DF/id0_id1_0000", "original/id0_0000", "original/id1_0000"}


def dfdcp_row(label, split, target, swapped=None):
    return {"label": label, "set": split, "target_id": target, "swapped_id": swapped, "augmentations": []}


DFDCP = {
    "original_videos/643049/643049_A_001.mp4": dfdcp_row("real", "train", "643049"),
    "original_videos/1260311/1260311_C_000.mp4": dfdcp_row("real", "test", "1260311"),
    "method_A/643049/643049_A/700000_643049_A_001.mp4": dfdcp_row("fake", "train", "643049", "700000"),
    "method_B/1260311/1260311_C/1255229_1260311_C_001.mp4": dfdcp_row("fake", "test", "1260311", "1255229"),
    "method_B/643049/643049_A/1255229_643049_A_002.mp4": dfdcp_row("fake", "train", "643049", "1255229"),
    "method_B/643049/643049_A/gone.mp4": dfdcp_row("fake", "train", "643049", "700000"),
}


@pytest.fixture
def dfdcp(tmp_path):
    make_tree(tmp_path, *(name for name in DFDCP if "gone" not in name), "method_A/1/1_A/new.mp4")
    write(tmp_path / "dataset.json", json.dumps(DFDCP))
    return tmp_path


def test_dfdcp_takes_people_and_sets_from_its_table(dfdcp):
    name, data = read(dfdcp)
    assert name == "dfdcp"
    assert described(data) == [
        ("method_A/700000_643049_A_001", "643049", "700000", "unknown"),
        ("method_B/1255229_1260311_C_001", "1260311", "1255229", "unknown"),
        ("method_B/1255229_643049_A_002", "643049", "1255229", "unknown"),
        ("original/1260311_C_000", "1260311", ""),
        ("original/643049_A_001", "643049", ""),
    ]
    assert data.missing == ["1 of 6 videos of dataset.json"]
    assert data.notes == [
        "passed over: 1 videos that dataset.json does not have (the first: method_A/1/1_A/new.mp4)"
    ]
    assert [video.manipulation for video in read(dfdcp, ["method_A"])[1].videos if video.label] == [
        "method_A"
    ]


def test_dfdcp_leaves_out_who_is_in_the_test_set_too(dfdcp):
    assignment = select_videos(dfdcp, SelectionOptions()).assignment
    assert {key for key, split in assignment.splits.items() if split == "test"} == {
        "method_B/1255229_1260311_C_001",
        "original/1260311_C_000",
    }
    assert set(assignment.left_out) == {"method_B/1255229_643049_A_002"}


def test_dfdcp_divides_its_train_set_into_train_and_val(tmp_path):
    table = {
        f"original_videos/{n}/{n}_A_001.mp4": dfdcp_row("real", "train", n) for n in range(643000, 643030)
    }
    write(make_tree(tmp_path, *table) / "dataset.json", json.dumps(table))
    assert set(read(tmp_path)[1].splits.values()) == {"train", "val"}


@pytest.mark.parametrize(
    "table",
    [
        "",
        "[1]",
        '{"original_videos/1/a.mp4": {}}',
        json.dumps({"original_videos/1/a.mp4": dfdcp_row("maybe", "train", "1")}),
        json.dumps({"original_videos/1/a.mp4": dfdcp_row("fake", "train", "1", "2")}),
        json.dumps({"method_A/1/a.mp4": dfdcp_row("real", "train", "1")}),
        json.dumps({"method_A/1/a.mp4": dfdcp_row("fake", "train", "1")}),
        json.dumps({"method_A/1/a.mp4": dfdcp_row("fake", "dev", "1", "2")}),
    ],
)
def test_dfdcp_refuses_a_damaged_table(tmp_path, table):
    make_tree(tmp_path, "original_videos/1/a.mp4")
    write(tmp_path / "dataset.json", table)
    with pytest.raises(UserError, match=r"dataset\.json is no table of the DFDC preview"):
        read(tmp_path)


DF40 = (
    "DF40/simswap/ff/frames/{000_003,draft}/{000,009}.png",
    "DF40/simswap/cdf/frames/id0_id1_0000/{000,009}.png",
    "DF40/StyleGAN2/ff/000/seed0188.png",
    "DF40_train/simswap/frames/{000_003,010_011,011_000}/{000,009}.png",
    "FaceForensics++/original_sequences/youtube/c23/frames/{000,003,010,011}/000.png",
    "Celeb-DF-v2/Celeb-real/frames/{id0_0000,id9_0000}/000.png",
    "Celeb-DF-v2/YouTube-real/frames/00000/000.png",
)


def test_df40_joins_its_parts_with_the_frames_of_their_originals(tmp_path):
    name, data = read(make_tree(tmp_path, *DF40))
    assert name == "df40"
    assert described(data) == [
        ("original/000", "000", ""),
        ("original/00000", "youtube 00000", ""),
        ("original/003", "003", ""),
        ("original/010", "010", ""),
        ("original/011", "011", ""),
        ("original/id0_0000", "id0", ""),
        ("original/id9_0000", "id9", ""),
        ("simswap/000_003", "000", "003", ""),
        ("simswap/010_011", "010", "011", ""),
        ("simswap/011_000", "011", "000", ""),
        ("simswap/id0_id1_0000", "id0", "id1", "id0_0000"),
    ]
    assert not any(video.native for video in data.videos)
    assert data.missing == []
    assert data.notes == [
        "passed over: 1 folders whose names are not FaceForensics++'s or Celeb-DF's "
        "(the first: simswap/draft)",
        "passed over: 1 videos that are in DF40 too (the first: simswap/000_003)",
        "passed over: 1 folders that are no videos of videos (the first: StyleGAN2)",
    ]


def test_df40_tests_on_its_test_part_and_leaves_out_who_crosses(tmp_path):
    assignment = select_videos(make_tree(tmp_path, *DF40), SelectionOptions()).assignment
    assert {key for key, split in assignment.splits.items() if split == "test"} == {
        "original/000",
        "original/003",
        "original/id0_0000",
        "simswap/000_003",
        "simswap/id0_id1_0000",
    }
    # 011 is joined to 000, which the test part shows.
    assert set(assignment.left_out) == {"simswap/011_000"}


def test_one_part_of_df40_finds_its_originals_beside_it_and_no_others(tmp_path):
    make_tree(tmp_path, *DF40)
    name, data = read(tmp_path / "DF40_train")
    assert name == "df40"
    reals = {video.video_id for video in data.videos if video.label == 0}
    assert reals == {"000", "003", "010", "011"}
    assert "test" not in data.splits.values()


def test_df40_takes_no_native_originals(tmp_path):
    make_tree(tmp_path, DF40[0], "FaceForensics++/original_sequences/youtube/c23/videos/000.mp4")
    _, data = read(tmp_path)
    assert data.missing == ["frames of the originals (FaceForensics++, Celeb-DF-v2)"]
