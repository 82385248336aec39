"""Recognising data sets, and FaceForensics++ in its two forms."""

import json

import pytest

from deepfake_tfdata.clips.layouts import LAYOUTS, find_layout, read_data_set
from deepfake_tfdata.errors import UserError
from tests.clips.trees import make_tree, write

OFFICIAL = (
    "original_sequences/youtube/{c23,c40}/videos/000.mp4",
    "original_sequences/actors/c23/videos/01__kitchen_pan.mp4",
    "manipulated_sequences/{Deepfakes,Face2Face,FaceShifter,FaceSwap,NeuralTextures}/c23/videos/000_003.mp4",
    "manipulated_sequences/{Face2Face,DeepFakeDetection}/masks/videos/000_003.mp4",
    "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__meeting_serious__YVGY8LOK.mp4",
)
MIRROR = (
    "{original,Deepfakes,Face2Face,FaceShifter,FaceSwap,NeuralTextures,DeepFakeDetection,csv}/readme.txt",
    "original/000.mp4",
    "Face2Face/000_003.mp4",
    "DeepFakeDetection/01_02__meeting_serious__YVGY8LOK.mp4",
)


def read(source, manipulations=None, compression="c23", layout="auto"):
    name, place = find_layout(layout, source)
    return name, read_data_set(name, place, compression, manipulations)


def described(data):
    return [(video.key, video.label, video.target_id, video.source_id) for video in data.videos]


def test_ffpp_reads_labels_and_identities_from_names(tmp_path):
    name, data = read(make_tree(tmp_path, *OFFICIAL))
    assert name == "ffpp"
    assert described(data) == [
        ("DeepFakeDetection/01_02__meeting_serious__YVGY8LOK", 1, "actor 01", "actor 02"),
        ("Deepfakes/000_003", 1, "000", "003"),
        ("Face2Face/000_003", 1, "000", "003"),
        ("FaceShifter/000_003", 1, "000", "003"),
        ("FaceSwap/000_003", 1, "000", "003"),
        ("NeuralTextures/000_003", 1, "000", "003"),
        ("original/000", 0, "000", ""),
        ("original/01__kitchen_pan", 0, "actor 01", ""),
    ]


def test_ffpp_takes_the_methods_and_the_compression_asked_for(tmp_path):
    make_tree(tmp_path, *OFFICIAL)
    keys = [video.key for video in read(tmp_path, ["Face2Face"])[1].videos]
    assert keys == ["Face2Face/000_003", "original/000"]
    _, actors = read(tmp_path, ["DeepFakeDetection"])
    assert [video.target_id for video in actors.videos] == ["actor 01", "actor 01"]
    assert [video.key for video in read(tmp_path, compression="c40")[1].videos] == ["original/000"]


def test_a_fake_knows_its_mask_and_its_original_the_first_of_them(tmp_path):
    actors = "01_02__kitchen_pan__YVGY8LOK"
    make_tree(
        tmp_path,
        *OFFICIAL,
        "original_sequences/youtube/c23/videos/003.mp4",
        "manipulated_sequences/NeuralTextures/masks/videos/000_003.mp4",
        f"manipulated_sequences/DeepFakeDetection/c23/videos/{actors}.mp4",
        f"manipulated_sequences/DeepFakeDetection/masks/videos/{actors}.mp4",
    )
    masks = {video.key: video.mask_path for video in read(tmp_path)[1].videos if video.mask_path}
    folder = str(tmp_path / "manipulated_sequences")
    assert masks == {
        "Face2Face/000_003": f"{folder}/Face2Face/masks/videos/000_003.mp4",
        "NeuralTextures/000_003": f"{folder}/NeuralTextures/masks/videos/000_003.mp4",
        "original/000": f"{folder}/Face2Face/masks/videos/000_003.mp4",
        f"DeepFakeDetection/{actors}": f"{folder}/DeepFakeDetection/masks/videos/{actors}.mp4",
        "original/01__kitchen_pan": f"{folder}/DeepFakeDetection/masks/videos/{actors}.mp4",
    }


def test_faces_that_deepfakebench_cut_are_read_where_there_are_no_videos(tmp_path):
    make_tree(
        tmp_path,
        "original_sequences/youtube/c23/frames/000/{000,009}.png",
        "original_sequences/youtube/c23/landmarks/000/{000,009}.npy",
        "original_sequences/actors/c23/frames/01__kitchen_pan/000.png",
        "manipulated_sequences/Face2Face/c23/frames/000_003/{000,009}.png",
        "manipulated_sequences/Face2Face/c23/masks/000_003/{000,009}.png",
        "manipulated_sequences/DeepFakeDetection/c23/frames/01_02__meeting_serious__YVGY8LOK/000.png",
    )
    name, data = read(tmp_path)
    assert name == "ffpp"
    assert described(data) == [
        ("DeepFakeDetection/01_02__meeting_serious__YVGY8LOK", 1, "actor 01", "actor 02"),
        ("Face2Face/000_003", 1, "000", "003"),
        ("original/000", 0, "000", ""),
        ("original/01__kitchen_pan", 0, "actor 01", ""),
    ]
    assert not any(video.native for video in data.videos)
    make_tree(tmp_path, "original_sequences/youtube/c23/videos/000.mp4")
    with pytest.raises(UserError, match="size alone would tell real from fake"):
        read(tmp_path, ["Face2Face"])


def test_it_says_what_was_found_and_what_is_missing(tmp_path):
    make_tree(tmp_path, *OFFICIAL[:1], "manipulated_sequences/Face2Face/c23/videos/{000_003,003_000}.MP4")
    _, data = read(tmp_path)
    assert data.summary(LAYOUTS["ffpp"].TITLE) == (
        "FaceForensics++ official: 1 originals, Face2Face 2; missing: Deepfakes, FaceShifter, FaceSwap, "
        "NeuralTextures, DeepFakeDetection, split lists"
    )
    write(tmp_path / "splits" / "train.json", json.dumps([]))
    assert "split lists" not in read(tmp_path)[1].summary("")


@pytest.mark.parametrize(
    ("compression", "methods", "message"),
    [
        ("c99", None, "--compression=c99 .* raw, c23, c40"),
        ("c23", ["Nonsense"], "unknown manipulation 'Nonsense'; choose from Deepfakes, Face2Face"),
        ("c40", ["FaceSwap"], "no c40 videos of 'FaceSwap'"),
        ("raw", None, "no raw videos in .*; expected original_sequences/youtube/raw/videos"),
    ],
)
def test_ffpp_names_what_is_not_there(tmp_path, compression, methods, message):
    with pytest.raises(UserError, match=message):
        read(make_tree(tmp_path, *OFFICIAL), methods, compression)


@pytest.mark.parametrize("case", [str, str.lower, str.upper])
@pytest.mark.parametrize("inside", [False, True])
def test_the_mirror_is_found_in_any_case_by_itself_or_its_parent(tmp_path, case, inside):
    root = make_tree(tmp_path / "FaceForensics++_C23", *map(case, MIRROR))
    name, data = read(root if inside else tmp_path)
    assert name == "ffpp_mirror"
    found = [(video.manipulation, video.label, video.target_id) for video in data.videos]
    assert found == [("DeepFakeDetection", 1, "actor 01"), ("Face2Face", 1, "000"), ("original", 0, "000")]


def test_the_mirror_is_c23_only(tmp_path):
    with pytest.raises(UserError, match=r"--compression=c40 .* choose from c23"):
        read(make_tree(tmp_path, *MIRROR), compression="c40")


def test_an_unknown_source_is_refused_with_the_known_layouts(tmp_path):
    with pytest.raises(UserError, match="manipulated_sequences/METHOD"):
        find_layout("auto", tmp_path)
    with pytest.raises(UserError, match="unknown layout 'nonsense'; choose from auto, deeperforensics, ffpp"):
        find_layout("nonsense", tmp_path)
    with pytest.raises(UserError, match="is no directory"):
        find_layout("auto", tmp_path / "missing")
    make_tree(tmp_path, *OFFICIAL)
    with pytest.raises(UserError, match="known are celebdf: Celeb-real"):
        find_layout("celebdf", tmp_path)


def test_two_data_sets_in_one_folder_are_not_guessed_between(tmp_path):
    make_tree(tmp_path, "a/{real,fake}/x.mp4", "b/{real,fake}/x.mp4")
    with pytest.raises(UserError, match=r"several data sets in .*: a, b; name one"):
        find_layout("auto", tmp_path)


def test_two_files_of_one_key_are_both_named(tmp_path):
    make_tree(tmp_path, *OFFICIAL, "original_sequences/youtube/c23/videos/000.avi")
    with pytest.raises(UserError, match=r"'original/000': .*000\.avi and .*000\.mp4"):
        read(tmp_path)
