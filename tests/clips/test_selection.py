"""Layouts and splits together, as the converter uses them."""

import json

import pytest

from deepfake_tfdata.clips.video_selection import SelectionOptions, select_videos
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.options import ConversionConfig
from tests.clips.trees import make_tree, write

LISTS = {"train": [["331", "001"]], "val": [["003", "004"]], "test": [["332", "002"]]}


@pytest.fixture
def ffpp(tmp_path):
    for split, pairs in LISTS.items():
        write(tmp_path / "splits" / f"{split}.json", json.dumps(pairs))
        for a, b in pairs:
            make_tree(
                tmp_path,
                f"original_sequences/youtube/c23/videos/{{{a},{b}}}.mp4",
                f"manipulated_sequences/Face2Face/c23/videos/{{{a}_{b},{b}_{a}}}.mp4",
            )
    return tmp_path


def select(source, **options):
    return select_videos(source, SelectionOptions(**options))


def test_the_lists_that_ship_with_the_data_are_used(ffpp):
    selection = select(ffpp)
    assert selection.assignment.splits["Face2Face/002_332"] == "test"
    assert selection.summary[1:] == ["divided by split lists: train 4, val 4, test 4"]
    assert selection.split_by == "split lists"
    assert (selection.layout, selection.compression) == ("ffpp", "c23")


def test_only_the_methods_named_are_taken(ffpp):
    make_tree(ffpp, "manipulated_sequences/FaceSwap/c23/videos/001_331.mp4")
    videos = select(ffpp, manipulations=("FaceSwap",)).videos
    assert {video.manipulation for video in videos} == {"original", "FaceSwap"}


def test_the_word_hash_passes_over_them(ffpp):
    selection = select(ffpp, splits="hash")
    assert selection.summary[1].startswith("divided by hash of the identities: ")
    assert len(selection.assignment.splits) == 12


def test_a_strict_split_says_how_many_it_leaves_out(ffpp):
    write(ffpp / "conversion_dict.json", json.dumps({"331": "R03Sko97IDE 0", "332": "R03Sko97IDE 1"}))
    selection = select(ffpp, strict_split=True)
    assert selection.summary[1].endswith(
        "source videos kept together: train 1, val 4, test 4; "
        "left out 3: an identity or source video of it is in the test split"
    )
    assert selection.assignment.splits["original/001"] == "train"


def test_actors_are_divided_although_the_lists_have_none(ffpp):
    names = ",".join(f"{actor:02d}__kitchen_pan" for actor in range(1, 29))
    make_tree(
        ffpp,
        f"original_sequences/actors/c23/videos/{{{names}}}.mp4",
        "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__kitchen_pan__AAAAAAAA.mp4",
    )
    splits = select(ffpp).assignment.splits
    actors = {split for key, split in splits.items() if key.endswith("__kitchen_pan")}
    assert actors == {"train", "val", "test"}
    assert splits["original/331"] == "train"


def test_celebdf_lets_nobody_cross_out_of_its_test_list(tmp_path):
    make_tree(
        tmp_path,
        "Celeb-real/{id0_0000,id0_0001,id7_0000,id8_0000}.mp4",
        "Celeb-synthesis/{id0_id1_0000,id7_id8_0000,id7_id0_0000}.mp4",
    )
    write(tmp_path / "List_of_testing_videos.txt", "1 Celeb-real/id0_0000.mp4\n")
    selection = select(tmp_path)
    assert selection.assignment.splits["original/id0_0000"] == "test"
    leaking = {"original/id0_0001", "Celeb-synthesis/id0_id1_0000", "Celeb-synthesis/id7_id0_0000"}
    assert set(selection.assignment.left_out) == leaking
    assert "left out 3: an identity or source video of it is in the test split" in selection.summary[1]


def test_a_layout_of_one_form_has_no_compression_and_resized_faces_are_counted(tmp_path):
    make_tree(tmp_path, "real/{a,b}.mp4", "fake/{a,b}.mp4")
    assert len(select(tmp_path).summary) == 2  # and no warning
    assert select(tmp_path).split_by == "hash of the identities"
    rows = "real/a.mp4,real,no\nreal/b.mp4,real,\nfake/a.mp4,fake,no\nfake/b.mp4,fake,\n"
    selection = select(write(tmp_path / "videos.csv", f"path,label,native\n{rows}"))
    assert selection.compression == ""
    assert selection.summary[2].startswith("2 of 4 videos are faces already resized: ")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"strict_split": True}, "--strict_split needs .*conversion_dict.json"),
        ({"layout": "ffp"}, "--layout=ffp is unknown; choose from auto, "),
        ({"splits": "nowhere"}, r"no nowhere/train\.json; --splits names a folder"),
    ],
)
def test_flags_that_make_no_sense_are_refused(ffpp, flags, message):
    with pytest.raises(UserError, match=message):
        select(ffpp, **flags)


def test_a_dictionary_that_a_conversion_would_not_look_at_is_refused():
    selection = SelectionOptions(conversion_dict="x.json")
    with pytest.raises(UserError, match=r"--conversion_dict=x\.json has no effect without --strict_split"):
        ConversionConfig(source="a", output="b", selection=selection)


def test_a_dictionary_and_lists_of_another_data_set_are_refused(ffpp, tmp_path_factory):
    folder = make_tree(tmp_path_factory.mktemp("plain"), "real/a.mp4", "fake/a.mp4")
    with pytest.raises(UserError, match=r"no video of .* has a split by split lists; check --splits"):
        select(folder, splits=str(ffpp / "splits"))
    path = write(folder / "sources.json", '{"331": "R03Sko97IDE 0"}')
    with pytest.raises(UserError, match="none of the identities"):
        select(folder, conversion_dict=str(path), strict_split=True)
