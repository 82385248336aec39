import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.video.errors import NoFaceError
from deepfake_tfdata.video.track import fill_gaps, follow_face, overlap, smooth_track, smoothing_window


def box(x, y, side):
    return np.array([x, y, x + side, y + side], np.float32)


def test_follows_the_large_persistent_face_and_not_a_flicker():
    detections = [np.stack([box(300, 50, 60), box(100 + 4 * t, 100, 100)]) for t in range(8)]
    detections[3] = np.stack([box(0, 0, 180)])  # one huge false alarm
    boxes, found = follow_face(detections)
    assert found.tolist() == [True] * 3 + [False] + [True] * 4
    np.testing.assert_array_equal(boxes[found][:, 0], [100 + 4 * t for t in range(8) if t != 3])


def test_two_crossing_faces_are_not_swapped():
    detections = []
    for time in range(12):
        ours, other = box(20 * time, 100, 110), box(240 - 20 * time, 180, 90)
        detections.append(np.stack([other, ours] if time % 2 else [ours, other]))
    boxes, found = follow_face(detections)
    assert found.all()
    np.testing.assert_array_equal(boxes[:, 0], 20.0 * np.arange(12))


def test_no_detection_at_all_is_an_error():
    assert not follow_face([np.zeros((0, 4), np.float32)] * 5)[1].any()
    with pytest.raises(NoFaceError):
        fill_gaps(np.zeros((3, 4)), np.zeros(3, bool))


@given(st.lists(st.booleans(), min_size=1, max_size=40).filter(any), st.integers(0, 2**32 - 1))
def test_a_smoothed_track_has_one_size_and_less_jitter(found, seed):
    random = np.random.default_rng(seed)
    found = np.array(found)
    noise = random.normal(0, 3, (len(found), 4))
    boxes = (box(100, 80, 90) + noise).astype(np.float32)
    smooth = smooth_track(boxes, found, 3)
    sizes = smooth[:, 2:] - smooth[:, :2]
    np.testing.assert_allclose(sizes, np.broadcast_to(sizes[0], sizes.shape), atol=1e-3)

    def jitter(b):
        return np.abs(np.diff((b[:, :2] + b[:, 2:]) / 2, axis=0)).sum()

    assert jitter(smooth) <= jitter(fill_gaps(boxes, found)) + 1e-3


def test_gaps_are_interpolated_and_ends_repeated():
    boxes = np.stack([box(0, 0, 10), box(10, 0, 10), box(0, 0, 1), box(30, 0, 10), box(0, 0, 1)])
    filled = fill_gaps(boxes, np.array([False, True, False, True, False]))
    np.testing.assert_allclose(filled[:, 0], [10, 10, 20, 30, 30])


def test_the_window_spans_half_a_second_and_is_odd():
    assert smoothing_window(np.arange(32) / 25) == 13
    assert smoothing_window(np.arange(32) * 0.4) == 3
    assert smoothing_window(np.zeros(1)) == 3


def test_overlap_is_intersection_over_union():
    assert overlap(box(0, 0, 10), box(0, 0, 10)) == pytest.approx(1)
    assert overlap(box(0, 0, 10), box(5, 0, 10)) == pytest.approx(1 / 3)
    assert overlap(box(0, 0, 10), box(20, 0, 10)) == 0
