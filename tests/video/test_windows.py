"""Where windows lie, and which of their tracks are one face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.clips.inspected import InspectionPlan
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.video.face_track import FaceTrack
from deepfake_tfdata.video.frame_sampling import consecutive_indices, linspace_indices
from deepfake_tfdata.video.link import link_faces, without_second_sights
from deepfake_tfdata.video.shots import Shots
from deepfake_tfdata.video.windows import adjacent_windows, evenly, plan_windows, spread_windows


@given(st.integers(1, 12), st.integers(0, 200), st.none() | st.floats(0, 250))
def test_spread_windows_cover_the_shot_and_none_is_longer_than_it_may_be(num_frames, more, span):
    count = num_frames + more
    windows = spread_windows(count, num_frames, span)
    assert (np.diff(windows, axis=1) > 0).all() and windows[0, 0] == 0
    if num_frames > 1:
        assert windows[-1, -1] == count - 1
    if span is None or num_frames == 1 or count - 1 <= span:
        np.testing.assert_array_equal(windows, linspace_indices(count, num_frames)[None])
    elif span >= num_frames:
        lengths = np.ptp(windows, axis=1)
        assert lengths.max() <= span + 1.5  # of whole frames
        # One frame more on the grid makes them shorter, and no more.
        assert lengths.min() >= span / (1 + span / (num_frames - 1) / (count - 1)) - 1.5
    half = num_frames // 2
    assert (windows[1:, 0] <= windows[:-1, half]).all() and (np.diff(windows[:, 0]) > 0).all()


@given(st.integers(1, 12), st.integers(0, 200), st.integers(1, 5))
def test_adjacent_windows_hold_every_frame_and_the_clips_of_the_converter(num_frames, more, clips):
    count = num_frames + more
    windows = adjacent_windows(count, num_frames, clips)
    assert np.array_equal(np.unique(windows), np.arange(count))
    starts = windows[:, 0]
    assert (np.diff(starts) > 0).all() and np.diff(starts, prepend=0).max() <= max(1, num_frames // 2)
    assert set(consecutive_indices(count, num_frames, clips)[:, 0].tolist()) <= set(starts.tolist())


def test_no_window_goes_through_a_cut_and_what_is_not_looked_at_says_why():
    plan = InspectionPlan(ClipSpec(num_frames=4), (), longest_span=1.0, max_windows=2)
    shots = Shots(63, cuts=(9, 12, 52))  # of 10, 3, 40 and 10 frames
    windows = plan_windows(shots, plan, rate=10.0)
    assert windows.shot_of.tolist() == [2, 2] and windows.passed_over == 6
    assert windows.reasons == [
        "2 of 8 windows are looked at",
        "3 frames, a clip needs 4",
        "",
        "2 of 8 windows are looked at",
    ]
    assert windows.windows.min() >= 13 and windows.windows.max() <= 52
    np.testing.assert_array_equal(windows.frames[windows.rows], windows.windows)
    assert {5, 11, 58} <= set(windows.frames.tolist())  # a picture of the others
    first, *_, last = windows.described(windows.frames / 10, rate=10.0)
    assert (first.start, first.end, last.start, last.end) == (0, 0.9, 5.3, 6.2)


@pytest.mark.parametrize(("count", "wanted", "expected"), [(10, 3, [1, 5, 8]), (5, 1, [2]), (2, 9, [0, 1])])
def test_some_of_many_are_spread_evenly(count, wanted, expected):
    assert evenly(count, wanted).tolist() == expected


def track(*boxes):
    """Of boxes (x, y, side), or None where the face is not found."""
    found = np.array([box is not None for box in boxes])
    filled = np.array([(x, y, x + s, y + s) for x, y, s in (box or (0, 0, 0) for box in boxes)], np.float32)
    return FaceTrack(filled, found, filled, np.zeros(0))


def test_a_face_in_a_face_is_none_and_neighbours_are_two():
    face = track((100, 100, 100), None, (120, 100, 100), (130, 100, 100))
    mouth = track(None, (140, 160, 35), (150, 160, 35), None)
    shoulders = track((60, 80, 190), None, None, (70, 80, 190))
    neighbour = track((190, 100, 90), (200, 100, 90), (205, 100, 90), None)
    later = track(None, None, None, (100, 100, 100))
    assert without_second_sights([face, mouth, shoulders, neighbour]) == [face, neighbour]
    early = track((100, 100, 100), (100, 100, 100), None, None)
    assert without_second_sights([early, later]) == [early, later]  # who takes the seat is another one


def test_the_tracks_of_windows_are_linked_to_faces():
    windows = np.array([[0, 1, 2, 3], [2, 3, 4, 5], [10, 11, 12, 13]])
    left = [track(*[(x, 0, 50)] * 4) for x in (0, 4, 8)]
    right = [track(*[(x, 0, 40)] * 4) for x in (100, 95)]
    newcomer = track(*[(300, 0, 80)] * 4)
    faces = link_faces([0, 1, 2], windows, [[left[0], right[0]], [right[1], left[1]], [newcomer, left[2]]])
    assert [face.tracks for face in faces] == [
        {0: left[0], 1: left[1], 2: left[2]},
        {0: right[0], 1: right[1]},
        {2: newcomer},
    ]
    assert sorted(faces[0].boxes) == [0, 1, 2, 3, 4, 5, 10, 11, 12, 13]
    assert faces[0].boxes[3][0] == 0  # of the first window that has it
    assert faces[0].weight == 10 * 50
