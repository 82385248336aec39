import pytest

from deepfake_tfdata.clips.layouts import ffpp, find_layout
from deepfake_tfdata.errors import UserError


@pytest.fixture
def tree(tmp_path):
    names = ("original_sequences/youtube/c23/videos/000.mp4", "original_sequences/youtube/c40/videos/000.mp4")
    methods = ("Face2Face", "Deepfakes")
    names += tuple(f"manipulated_sequences/{method}/c23/videos/000_003.mp4" for method in methods)
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.touch()
    return tmp_path


def test_ffpp_reads_labels_and_identities_from_names(tree):
    name, layout = find_layout("auto", tree)
    videos = layout.find_videos(tree, "c23", None)
    assert name == "ffpp"
    assert [(v.key, v.label, v.target_id, v.source_id) for v in videos] == [
        ("Deepfakes/000_003", 1, "000", "003"),
        ("Face2Face/000_003", 1, "000", "003"),
        ("original/000", 0, "000", ""),
    ]


def test_ffpp_takes_the_methods_and_the_compression_asked_for(tree):
    keys = [video.key for video in ffpp.find_videos(tree, "c23", ["Face2Face"])]
    assert keys == ["Face2Face/000_003", "original/000"]
    assert [video.key for video in ffpp.find_videos(tree, "c40", None)] == ["original/000"]


@pytest.mark.parametrize(
    ("compression", "methods", "message"),
    [
        ("c99", None, "c99"),
        ("c23", ["Nonsense"], "Nonsense"),
        ("c23", ["FaceSwap"], "FaceSwap"),
        ("raw", None, "raw"),
    ],
)
def test_ffpp_names_what_is_not_there(tree, compression, methods, message):
    with pytest.raises(UserError, match=message):
        ffpp.find_videos(tree, compression, methods)


def test_an_unknown_tree_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(UserError, match="manipulated_sequences/METHOD"):
        find_layout("auto", tmp_path)
    with pytest.raises(UserError, match="unknown layout 'nonsense'"):
        find_layout("nonsense", tmp_path)
    with pytest.raises(UserError, match="is no directory"):
        find_layout("auto", tmp_path / "missing")
