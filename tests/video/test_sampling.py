from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.frame_sampling import consecutive_indices, linspace_indices, sample_frames
from deepfake_tfdata.video.shots import Shots


def consecutive(num_frames, clips):
    return ClipSpec(num_frames=num_frames, sampling="consecutive", clips_per_video=clips)


@given(st.integers(1, 64), st.integers(0, 500))
def test_linspace_goes_from_the_first_frame_to_the_last_and_repeats_none(num_frames, more):
    indices = linspace_indices(num_frames + more, num_frames)
    assert indices[0] == 0
    assert num_frames == 1 or indices[-1] == num_frames + more - 1
    assert (np.diff(indices) >= 1).all()


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 500))
def test_runs_are_adjacent_inside_the_video_and_never_overlap(num_frames, clips, more):
    total = num_frames + more
    indices = sample_frames(Shots(total), consecutive(num_frames, clips))
    assert indices.shape == (min(clips, total // num_frames), num_frames)
    flat = indices.ravel()
    assert flat[0] >= 0 and flat[-1] < total
    assert (np.diff(flat) >= 1).all()
    assert (np.diff(indices, axis=1) == 1).all()


def test_runs_are_in_the_middle_of_equal_parts():
    assert consecutive_indices(300, 10, 1)[:, 0].tolist() == [145]
    assert consecutive_indices(300, 10, 3)[:, 0].tolist() == [45, 145, 245]


def test_clips_are_of_the_longest_shot_or_of_the_whole_video():
    shots = Shots(100, cuts=(19, 69))  # frames 0 to 19, 20 to 69, 70 to 99
    whole, longest = (ClipSpec(num_frames=3, shots=way) for way in ("ignore", "longest"))
    assert sample_frames(shots, whole).tolist() == [[0, 50, 99]]
    assert sample_frames(shots, longest).tolist() == [[20, 44, 69]]
    runs = replace(longest, sampling="consecutive", clips_per_video=2)
    assert sample_frames(shots, runs).tolist() == [[31, 32, 33], [56, 57, 58]]


@pytest.mark.parametrize(
    "sample",
    [
        *(
            lambda count, spec=spec: sample_frames(Shots(count), spec)
            for spec in (ClipSpec(num_frames=8), consecutive(8, 3))
        ),
        lambda count: linspace_indices(count, 8),
        lambda count: consecutive_indices(count, 8, 3),
    ],
)
def test_a_video_shorter_than_a_clip_is_refused(sample):
    assert np.size(sample(8)) == 8
    with pytest.raises(VideoError, match="the video has 7 frames and a clip needs 8") as error:
        sample(7)
    assert error.value.status == "too_short"
