import statistics
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.predictions import Predictions, per_video, read_csv, write_csv

TEXT = ("clip_ids", "video_ids", "manipulations", "target_ids", "source_ids", "components", "folds")


def clips(**changes):
    values = {
        "clip_ids": ["a", "b", "c"],
        "video_ids": ["001", "001", "001"],
        "manipulations": ["original", "original", "FaceSwap"],
        "target_ids": ["001", "001", "001"],
        "labels": [0, 0, 1],
        "scores": [0.2, 0.4, 0.9],
    }
    return Predictions(**{**values, **changes})


@pytest.mark.parametrize("score", [np.nan, np.inf, -0.1, 1.1])
def test_refuses_scores_that_are_no_probability_and_names_the_first(score):
    with pytest.raises(UserError, match=rf"2 of 3 scores.*first {score} of clip 'b'"):
        clips(scores=[0.2, score, 2])


def test_all_is_stored_in_the_documented_types():
    frames = {name: np.ones((3, 2), np.float32) for name in ("attention", "frame_indices", "timestamps")}
    stored = clips(
        labels=np.array([False, False, True]), scores=np.zeros(3, np.float32), clip_ids=[7, 8, 9], **frames
    )
    assert stored.clip_ids.tolist() == ["7", "8", "9"]
    types = {name: value.dtype for name, value in vars(stored).items() if name not in TEXT}
    assert types.pop("labels") == types.pop("frame_indices") == np.int64
    assert set(types.values()) == {np.dtype(np.float64)} and len(types) == 3


def test_refuses_no_clips():
    names = ("clip_ids", "video_ids", "manipulations", "target_ids", "labels", "scores")
    with pytest.raises(UserError, match="no predictions"):
        Predictions(**{name: [] for name in names})


def test_refuses_unknown_labels_and_names_the_first():
    with pytest.raises(UserError, match="clip 'b' has label 2"):
        clips(labels=[0, 2, -1])


def test_refuses_a_clip_scored_twice():
    with pytest.raises(UserError, match="'a' of video 'original/001' was scored twice"):
        clips(clip_ids=["a", "a", "a"])


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": [0, 1]},
        {"scores": [[0.1], [0.2], [0.3]]},
        {"attention": [[1.0]]},
        {"attention": [1.0, 1.0, 1.0]},
        {"attention": np.ones((3, 2)) / 2, "timestamps": np.zeros((3, 4))},
    ],
)
def test_refuses_shapes_that_differ(changes):
    with pytest.raises(ValueError):
        clips(**changes)


def test_per_video_averages_clips_and_keeps_manipulations_apart():
    videos = per_video(clips(attention=[[1, 0], [0, 1], [0.25, 0.75]]))
    assert videos.clip_ids.tolist() == ["original/001", "FaceSwap/001"]
    np.testing.assert_allclose(videos.scores, [0.3, 0.9])
    np.testing.assert_allclose(videos.attention, [[0.5, 0.5], [0.25, 0.75]])
    assert videos.labels.tolist() == [0, 1]


def test_per_video_leaves_out_which_frames_a_clip_showed():
    frames = {"frame_indices": [[0, 5], [10, 15], [0, 5]], "timestamps": np.ones((3, 2))}
    videos = per_video(clips(**frames))
    assert videos.frame_indices is videos.timestamps is videos.attention is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), min_size=1))
def test_the_score_of_a_video_is_the_mean_of_its_clips_in_order_of_first_appearance(rows):
    names, scores = map(list, zip(*rows, strict=True))
    count = len(rows)
    all_clips = Predictions(range(count), names, ["original"] * count, names, [0] * count, scores)
    videos = per_video(all_clips)
    means = {
        name: statistics.fmean(score for other, score in rows if other == name)
        for name in dict.fromkeys(names)
    }
    assert videos.video_ids.tolist() == list(means)
    assert videos.scores.tolist() == pytest.approx(list(means.values()))
    assert 0 <= videos.scores.min() <= videos.scores.max() <= 1


def test_selected_rows_keep_all_that_is_known_of_them():
    frames = {"attention": [[1, 0], [0, 1], [0.5, 0.5]], "frame_indices": [[0, 5], [10, 15], [1, 6]]}
    chosen = clips(**frames, source_ids=["", "", "003"], components=["a", "a", "b"])
    chosen = replace(chosen, folds=["1/3", "1/3", "2/3"]).select([2, 0])
    assert chosen.folds.tolist() == ["2/3", "1/3"]
    assert chosen.clip_ids.tolist() == ["c", "a"] and chosen.components.tolist() == ["b", "a"]
    assert chosen.attention.tolist() == [[0.5, 0.5], [1, 0]]
    assert chosen.frame_indices.tolist() == [[1, 6], [0, 5]] and chosen.timestamps is None


def test_per_video_of_videos_is_the_same():
    videos = per_video(clips())
    again = per_video(videos)
    assert again.video_keys.tolist() == videos.video_keys.tolist()
    np.testing.assert_array_equal(again.scores, videos.scores)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": [0, 1, 1]},
        {"target_ids": ["001", "002", "001"]},
        {"source_ids": ["", "002", "003"]},
        {"components": ["a", "b", "a"]},
        {"folds": ["1/3", "2/3", "1/3"]},
    ],
)
def test_per_video_refuses_clips_that_contradict_each_other(changes):
    with pytest.raises(UserError, match="'original/001' differ"):
        per_video(clips(**changes))


def test_csv_has_the_promised_columns_and_reads_back(tmp_path):
    path = tmp_path / "predictions.csv"
    written = clips(
        scores=[1 / 3, 0.4, 0.9],
        clip_ids=["a,b", 'c"d', "e"],
        source_ids=["", "", "003"],
        components=["one", "one", "two"],
        folds=["1/3", "1/3", "2/3"],
    )
    write_csv(written, path)
    assert path.read_bytes().startswith(b"clip_id,video_id,label,score,") and b"\r" not in path.read_bytes()
    read = read_csv(path)
    for name in (*TEXT, "labels", "scores"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))


def test_csv_of_four_columns_is_enough(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text("clip_id,video_id,label,score\na,001,0,0.1\nb,001_002,1,0.8\n")
    read = read_csv(path)
    assert read.manipulations.tolist() == ["original", "fake"]
    assert read.target_ids.tolist() == read.components.tolist() == ["001", "001_002"]
    assert read.source_ids.tolist() == read.folds.tolist() == ["", ""]


def test_csv_without_components_takes_the_targets(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text("clip_id,video_id,label,score,target_id\na,001,0,0.1,t\nb,001_002,1,0.8,\n")
    read = read_csv(path)
    assert read.target_ids.tolist() == read.components.tolist() == ["t", "001_002"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no .*predictions.csv"),
        ("clip_id,label,score\na,0,0.1\n", "no column video_id"),
        ("clip_id,video_id,label,score\na,b,0,high\n", "no number"),
        ("clip_id,video_id,label,score\na,b,0,0.1\nc,d,1\n", "no number"),
        ("clip_id,video_id,label,score\n", "no predictions"),
    ],
)
def test_csv_that_can_not_be_read(tmp_path, content, message):
    path = tmp_path / "predictions.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=message):
        read_csv(path)


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        ("\ufeffclip_id,video_id,label,score\na,a,0,0.1\nb,b,1,0.9\n", [0, 1]),  # as a spreadsheet saves it
        ("clip_id,video_id,label,score\na,a,0.0,0.1\nb,b,1.0,0.9\n", [0, 1]),  # as pandas does
    ],
)
def test_tables_of_other_tools_are_read(tmp_path, content, labels):
    (tmp_path / "scores.csv").write_text(content, encoding="utf-8")
    assert read_csv(tmp_path / "scores.csv").labels.tolist() == labels


def test_what_is_no_table_is_refused_in_one_line(tmp_path):
    (tmp_path / "latin.csv").write_bytes("clip_id,video_id,label,score\n\xe9,a,0,0.1\n".encode("latin-1"))
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "half.csv").write_text("clip_id,video_id,label,score\na,a,0.5,0.1\n")
    for name, message in (
        ("latin.csv", "is no table that can be read"),
        ("folder.csv", "is no table that can be read"),
        ("half.csv", "has a label or score that is no number: 0.5 is no label"),
    ):
        with pytest.raises(UserError, match=message):
            read_csv(tmp_path / name)
