import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.video.errors import NoFaceError
from deepfake_tfdata.video.smooth import (
    centre_jitter,
    centres_of,
    fill_gaps,
    size_range,
    smooth_track,
    smoothing_window,
)


def box(x, y, side):
    return np.array([x, y, x + side, y + side], np.float32)


@given(
    st.lists(st.booleans(), min_size=1, max_size=40).filter(any), st.sampled_from([3, 7, 13]), st.integers(0)
)
def test_a_smoothed_track_has_one_size_and_stays_near_the_face(found, window, seed):
    found = np.array(found)
    noise = np.random.default_rng(seed).uniform(-3, 3, (len(found), 4))
    smooth = smooth_track((box(100, 80, 90) + noise).astype(np.float32), found, window)
    sizes = smooth[:, 2:] - smooth[:, :2]
    np.testing.assert_allclose(sizes, np.broadcast_to(sizes[0], sizes.shape), atol=1e-3)
    np.testing.assert_allclose(smooth, np.broadcast_to(box(100, 80, 90), smooth.shape), atol=6)


@given(st.lists(st.booleans(), min_size=3, max_size=40).filter(any), st.sampled_from([3, 7, 13]))
def test_steady_motion_is_left_as_it_is(found, window):
    found = np.array(found)
    boxes = np.stack([box(10 + 3 * t, 50 - 2 * t, 80) for t in range(len(found))])
    np.testing.assert_allclose(smooth_track(boxes, found, window)[found], boxes[found], atol=1e-3)


@pytest.mark.parametrize("wrong", [0, 1, 6, 19])
@pytest.mark.parametrize("window", [3, 13])
def test_one_wrong_box_moves_nothing(wrong, window):
    boxes = np.stack([box(10 + 2 * t, 50, 80) for t in range(20)])
    clean = boxes.copy()
    boxes[wrong] += 25
    boxes[10:13] = 0
    found = np.arange(20) // 3 != 3
    found[9] = True
    found[10:13] = False
    smooth = smooth_track(boxes, found, window)
    np.testing.assert_allclose(centres_of(smooth), centres_of(clean), atol=5)


@pytest.mark.parametrize(("window", "replaced"), [(3, False), (5, True)])
def test_two_wrong_boxes_in_a_row_take_a_window_of_five(window, replaced):
    boxes = np.stack([box(10, 50, 80)] * 20)
    boxes[9:11] += 25
    off = smooth_track(boxes, np.ones(20, bool), window)[9:11, 0] - 10
    assert (off < 3).all() if replaced else (off > 15).all()


def test_two_wrong_sizes_in_a_row_are_taken_out_by_any_window():
    boxes = np.stack([box(10, 50, 80)] * 20)
    boxes[9:11, 2:] += 40
    assert size_range(boxes, np.ones(20, bool), 3) == pytest.approx(1)


@pytest.mark.parametrize("wrong", [0, 21])
@pytest.mark.parametrize("shift", [-25, 25])
def test_a_wrong_end_is_no_further_off_than_two_samples(wrong, shift):
    # Every third frame: what lies beyond an end goes by time, not by rows.
    found = np.arange(22) % 3 == 0
    boxes = np.stack([box(10 + 2 * t, 50, 80) for t in range(22)])
    clean = boxes.copy()
    boxes[wrong] += shift
    smooth = smooth_track(boxes, found, 3)
    np.testing.assert_allclose(centres_of(smooth)[found], centres_of(clean)[found], atol=12.01)


@pytest.mark.parametrize(("window", "times"), [(3, 3), (13, 20)])
def test_jitter_is_taken_out(window, times):
    random = np.random.default_rng(0)
    boxes = np.stack([box(100, 100, 80)] * 200) + np.tile(random.normal(0, 1, (200, 2)), 2)
    found = random.random(200) < 0.9
    smooth = smooth_track(boxes.astype(np.float32), found, window)
    before, after = (np.median(centre_jitter(track, found)) for track in (boxes, smooth))
    assert after < before / times


def test_smoothing_is_by_lines_that_weigh_near_rows_most():
    # Faster and faster: medians leave it as it is, lines cut its curve.
    times = np.delete(np.arange(24), [9, 10, 14])
    found = np.isin(np.arange(24), times)
    where = 0.05 * np.arange(24) ** 2
    smooth = smooth_track(np.stack([box(10 + x, 50, 80) for x in where]), found, 5)
    for row, time in enumerate(times):
        first = np.clip(row - 2, 0, len(times) - 5)
        near = times[first : first + 5]
        weights = 1 - np.abs(near - time) / (np.abs(near - time).max() + 1)
        line = np.polyfit(near, where[near], 1, w=np.sqrt(weights))
        assert smooth[time, 0] == pytest.approx(10 + np.polyval(line, time), abs=1e-4)
    # By hand, in the middle: 0.05 times the mean of a^2 with the weights 1/3, 2/3, 1, 2/3, 1/3.
    assert smooth[4, 0] == pytest.approx(10 + where[4] + 0.05 * 4 / 3, abs=1e-4)


def test_the_size_of_a_steady_zoom_is_kept_where_it_is_asked_for():
    sides = 50 * 2 ** (np.arange(21) / 20)
    boxes = np.stack([box(200 - side / 2, 300 - side / 2, side) for side in sides])
    found = np.arange(21) % 5 != 1
    assert size_range(boxes, found, 7) == pytest.approx(2, rel=1e-4)
    np.testing.assert_allclose(smooth_track(boxes, found, 7, 1.9)[found], boxes[found], atol=0.01)
    for limit in (2.1, np.inf):
        sizes = np.diff(smooth_track(boxes, found, 7, limit).reshape(-1, 2, 2), axis=1)
        np.testing.assert_allclose(sizes, np.median(sides[found]), atol=0.01)


def test_a_face_keeps_its_width_and_its_height():
    boxes = np.tile(np.float32([10, 20, 90, 140]), (9, 1))
    for limit in (1.5, np.inf):
        np.testing.assert_allclose(smooth_track(boxes, np.ones(9, bool), 3, limit), boxes, atol=1e-3)


def test_motion_faster_than_the_sampling_is_followed():
    # Four samples a period: a plain median or mean would hold the face still.
    boxes = np.stack([box(100 + 6 * np.sin(np.pi * t / 2), 100, 80) for t in range(32)])
    smooth = smooth_track(boxes, np.ones(32, bool), 3)
    assert np.abs(smooth - boxes).max() < 0.031 * 80


def test_jitter_counts_what_is_not_steady_and_no_filled_gap():
    boxes = np.stack([box(5 * t, 0, 10) for t in range(7)])
    boxes[3] += [2, 0, 2, 0]
    every = np.ones(7, bool)
    np.testing.assert_allclose(centre_jitter(boxes, every), [0, 2, 4, 2, 0])
    np.testing.assert_allclose(centre_jitter(boxes, every & (np.arange(7) != 5)), [0, 2, 4])
    assert len(centre_jitter(boxes[:2], every[:2])) == len(centre_jitter(boxes[:1], every[:1])) == 0


def test_gaps_are_interpolated_and_ends_repeated():
    boxes = np.stack([box(0, 0, 10), box(10, 0, 10), box(0, 0, 1), box(30, 0, 10), box(0, 0, 1)])
    filled = fill_gaps(boxes, np.array([False, True, False, True, False]))
    np.testing.assert_allclose(filled[:, 0], [10, 10, 20, 30, 30])


@pytest.mark.parametrize("make", [fill_gaps, lambda boxes, found: smooth_track(boxes, found, 3)])
def test_a_face_that_was_never_found_has_no_track(make):
    with pytest.raises(NoFaceError):
        make(np.zeros((3, 4)), np.zeros(3, bool))


def test_the_window_spans_half_a_second_and_is_odd():
    assert smoothing_window(np.arange(32) / 25) == 13
    assert smoothing_window(np.arange(32) * 0.4) == 3
    assert smoothing_window(np.zeros(1)) == smoothing_window(np.zeros(9)) == 3
    # And no longer than the clip.
    assert [smoothing_window(np.arange(count) / 25) for count in (2, 4, 5, 6, 7)] == [3, 3, 5, 5, 7]
