"""Which videos a detector was most wrong about, and where it looked."""

import numpy as np
import pytest

from deepfake_tfdata.evaluation.mistakes import Mistake, worst_mistakes
from deepfake_tfdata.evaluation.predictions import Predictions


def clips(**changes):
    """Two clips each of four videos, of which 'b', 'c' and 'd' are called wrong at a half."""
    videos = np.repeat(list("abcd"), 2)
    values = {
        "clip_ids": list("01010101"),
        "video_ids": videos,
        "manipulations": ["original"] * 4 + ["FaceSwap"] * 4,
        "target_ids": videos,
        "labels": [0] * 4 + [1] * 4,
        "scores": [0.2, 0.3, 0.9, 0.5, 0.4, 0.0, 0.3, 0.5],
        "attention": np.eye(4)[[0, 0, 1, 2, 0, 3, 1, 1]],
    }
    return Predictions(**{**values, **changes})


def test_the_furthest_from_their_label_come_first():
    found = worst_mistakes(clips(), 0.5, 2)
    # A real video by its highest clip, a fake by its lowest.
    assert found.worst == [
        Mistake("FaceSwap/c", 1, pytest.approx(0.2), "position 4 of 4"),
        Mistake("original/b", 0, pytest.approx(0.7), "position 2 of 4"),
    ]
    assert found.count == 3


def test_a_score_that_reaches_the_threshold_is_called_fake():
    assert [each.video for each in worst_mistakes(clips(), 0.4, 9).worst] == ["FaceSwap/c", "original/b"]
    assert [each.video for each in worst_mistakes(clips(), 0.7, 9).worst][1:] == ["original/b", "FaceSwap/d"]
    assert not worst_mistakes(clips(scores=np.repeat([0.1, 0.7], 4)), 0.7, 9).worst


def test_of_equal_mistakes_the_first_video_comes_first():
    names = [f"{video:03d}" for video in range(60)]
    predictions = Predictions(names, names, ["original"] * 60, names, [0] * 60, [0.7, 0.9] * 30)
    found = [each.video for each in worst_mistakes(predictions, 0.5, 60).worst]
    assert found == [f"original/{name}" for name in (*names[1::2], *names[::2])]


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ({"frame_indices": np.arange(32).reshape(8, 4)}, "frame 23"),
        ({"timestamps": np.arange(32).reshape(8, 4) / 25}, "position 4 of 4, 0.92 s"),
        (
            {"frame_indices": np.arange(32).reshape(8, 4), "timestamps": np.arange(32).reshape(8, 4) / 25},
            "frame 23, 0.92 s",
        ),
        ({"attention": None}, ""),
    ],
)
def test_where_it_looked_is_said_by_what_is_known(known, text):
    assert worst_mistakes(clips(**known), 0.5, 1).worst[0].most_attended == text
