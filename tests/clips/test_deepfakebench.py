"""DeepfakeBench's JSON files: folders of frames, splits that overlap, paths of another disk."""

import json

import pytest

from deepfake_tfdata.clips.layouts import find_layout, read_data_set
from deepfake_tfdata.clips.video_selection import SelectionOptions, select_videos
from deepfake_tfdata.errors import UserError
from tests.clips.trees import make_tree, write

REALS = "FaceForensics++/original_sequences/youtube/c23/frames"
FAKES = "FaceForensics++/manipulated_sequences/Face2Face/c23/frames"


def frames(label, *folders, separator="/", prefix=""):
    """Videos as in the file, of one frame each."""
    return {
        folder.rpartition("/")[2]: {
            "label": label,
            "frames": [f"{prefix}{folder}/{number}.png".replace("/", separator) for number in ("000", "009")],
        }
        for folder in folders
    }


def ffpp(**options):
    """FF-F2F.json, with compression levels."""
    people = {"train": ("010", "011"), "val": ("000", "003"), "test": ("020", "021")}
    real, fake = {}, {}
    for split, (a, b) in people.items():
        real[split] = {"c23": frames("FF-real", f"{REALS}/{a}", f"{REALS}/{b}", **options)}
        fake[split] = {"c23": frames("FF-F2F", f"{FAKES}/{a}_{b}", **options), "c40": {}}
    return {"FF-F2F": {"FF-real": real, "FF-F2F": fake}}


def make_frames(root, data):
    """The folders that a file names, below root."""
    text = json.dumps(data).replace("\\\\", "/")
    for name in sorted({part for part in text.split('"') if part.endswith(".png")}):
        make_tree(root, name.removeprefix("/somebody/else/").removeprefix("./"))


def read(source, manipulations=None):
    name, place = find_layout("auto", source)
    assert name == "deepfakebench"
    return read_data_set(name, place, "c23", manipulations)


@pytest.mark.parametrize(
    ("options", "root"),
    [
        ({}, ""),
        ({}, "datasets/rgb"),
        ({"separator": "\\"}, "datasets/rgb"),
        ({"prefix": "./datasets/rgb/"}, "."),
        ({"prefix": "/somebody/else/"}, ""),
    ],
)
def test_its_folders_are_found_wherever_its_paths_began(tmp_path, options, root):
    data = ffpp(**options)
    make_frames(tmp_path / root, json.loads(json.dumps(data).replace("./datasets/rgb/", "datasets/rgb/")))
    found = read(write(tmp_path / "preprocessing" / "dataset_json" / "FF-F2F.json", json.dumps(data)))
    assert [(v.key, v.label, *v.identities, v.native) for v in found.videos][:4] == [
        ("Face2Face/000_003", 1, "000", "003", False),
        ("Face2Face/010_011", 1, "010", "011", False),
        ("Face2Face/020_021", 1, "020", "021", False),
        ("original/000", 0, "000", False),
    ]
    assert found.splits["original/003"] == found.splits["Face2Face/000_003"] == "val"
    assert (found.missing, found.notes) == ([], [])


def celebdf(train, test):
    """Celeb-DF-v2.json: train holds all that there is, and val is test."""

    def of(label, names):
        folder = {"CelebDFv2_real": "Celeb-DF-v2/Celeb-real", "CelebDFv2_fake": "Celeb-DF-v2/Celeb-synthesis"}
        return frames(label, *(f"{folder[label]}/frames/{name}" for name in names))

    labels = {}
    for label, is_fake in (("CelebDFv2_real", False), ("CelebDFv2_fake", True)):
        here, tested = ([n for n in names if (n.count("_") > 1) == is_fake] for names in (train, test))
        labels[label] = {"train": of(label, here), "val": of(label, tested), "test": of(label, tested)}
    return {"Celeb-DF-v2": labels}


def test_test_videos_in_val_and_train_are_test_only_and_nobody_crosses(tmp_path):
    people = [f"id{number}_0000" for number in range(20, 40)]
    data = celebdf(
        ["id0_0000", "id0_0001", "id1_0000", "id0_id1_0000", *people], ["id0_0000", "id0_id1_0000"]
    )
    make_frames(tmp_path, data)
    selection = select_videos(write(tmp_path / "Celeb-DF-v2.json", json.dumps(data)), SelectionOptions())
    splits = selection.assignment.splits
    assert {key for key, split in splits.items() if split == "test"} == {
        "Celeb-synthesis/id0_id1_0000",
        "original/id0_0000",
    }
    assert set(selection.assignment.left_out) == {"original/id0_0001", "original/id1_0000"}
    assert {splits[f"original/{name}"] for name in people} == {"train", "val"}
    assert selection.summary[0].endswith(
        "; 2 videos stand in several splits and count for the last of train, val, test"
        "; val has no videos of its own, so that train is divided into train and val by hash"
    )


def test_splits_that_all_hold_the_same_do_not_count(tmp_path):
    folder = "FaceForensics++/original_sequences/actors/c23/frames"
    every = frames("DFD_real", *(f"{folder}/{actor:02d}__kitchen_pan" for actor in range(1, 29)))
    data = {"DeepFakeDetection": {"DFD_real": {split: {"c23": every} for split in ("train", "val", "test")}}}
    make_frames(tmp_path, data)
    selection = select_videos(write(tmp_path / "d.json", json.dumps(data)), SelectionOptions())
    assert set(selection.assignment.splits.values()) == {"train", "val", "test"}
    assert "its train, val and test hold the same videos, so its splits don't count" in selection.summary[0]


def test_what_it_lists_and_is_not_there_or_tells_no_identity_is_counted(tmp_path):
    data = ffpp()
    make_frames(tmp_path, data)
    data["FF-F2F"]["FF-F2F"]["test"]["c23"] |= frames("FF-F2F", f"{FAKES}/021_020")
    data["FF-F2F"]["FF-real"]["test"]["c23"]["077"] = {"label": "FF-real", "frames": []}
    data["FF-F2F"]["FF-real"]["test"]["c23"] |= frames("FF-real", f"{REALS}/holiday")
    make_tree(tmp_path, f"{REALS}/holiday/000.png")
    found = read(write(tmp_path / "f.json", json.dumps(data)))
    assert found.missing == ["2 listed folders of frames"]
    assert found.notes == ["passed over: 1 videos whose names do not tell identities (the first: holiday)"]
    assert len(found.videos) == 9


def test_methods_are_chosen_and_those_of_df40_have_its_names(tmp_path):
    data = {
        "simswap_ff": {
            "simswap_Real": {"test": frames("simswap_Real", f"{REALS}/000")},
            "simswap_Fake": {"test": frames("simswap_Fake", "DF40/simswap/ff/frames/000_003")},
            "e4s_Fake": {"test": frames("e4s_Fake", "DF40/e4s/ff/frames/000_003")},
        }
    }
    make_frames(tmp_path, data)
    found = read(write(tmp_path / "simswap_ff.json", json.dumps(data)), ["simswap"])
    assert [video.key for video in found.videos] == ["original/000", "simswap/000_003"]
    assert set(found.splits.values()) == {"test"}


def changed(change):
    data = ffpp()
    change(data["FF-F2F"])
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no file of DeepfakeBench"),
        ("[1]", "is no file of DeepfakeBench"),
        ('{"a.mp4": {"label": "FAKE"}}', "is no file of DeepfakeBench"),
        (changed(lambda d: d["FF-real"].update(dev={})), "the split 'dev' of FF-real"),
        (changed(lambda d: d.update(X={"test": frames("X", f"{REALS}/000")})), "label 'X' says neither"),
        (changed(lambda d: d["FF-real"]["test"]["c23"].update(frames("FF-real", f"{FAKES}/000_003"))),
         "000_003, a fake by its name, under the label 'FF-real'"),
        (changed(lambda d: d["FF-real"]["test"]["c23"].update({"5": {"frames": ["a/5/1", "b/5/2"]}})),
         "frames of 5 in two folders, a/5 and b/5"),
        (json.dumps({"DFDC": {}}), "which video each fake of DFDC was made from.*--layout=dfdc"),
        (json.dumps(ffpp()), "none of the 9 folders of frames that .* names is there .*; put the file"),
    ],
)  # fmt: skip
def test_a_file_that_is_damaged_or_contradicts_itself_is_refused(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        read(write(tmp_path / "a" / "b" / "c" / "FF-F2F.json", text))
