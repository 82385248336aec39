import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.clips.regions import Region
from deepfake_tfdata.clips.spec import (
    MAX_CLIPS,
    MAX_FRAME_SIZE,
    MAX_FRAMES,
    MIN_FRAME_SIZE,
    ClipSpec,
    require_same_spec,
)
from deepfake_tfdata.errors import UserError

CHANGES = {
    "num_frames": 16,
    "geometry": "resized",
    "max_side": 256,
    "encoding": "png",
    "sampling": "consecutive",
    "detector": "boxes",
    "detector_hash": "0123456789ab",
    "share_tracks": True,
    "min_found": 0.8,
    "margin": 0.2,
    "regions": (Region("full", 0, 0, 1, 1),),
}


def test_tracking_changes_the_hash():
    resized = ClipSpec(geometry="resized")
    assert dataclasses.replace(resized, tracking="per_frame").hash != resized.hash


@given(st.integers(1, 64), st.integers(16, 512), st.floats(0, 1))
def test_survives_json(num_frames, frame_size, margin):
    spec = ClipSpec(num_frames=num_frames, frame_size=frame_size, margin=margin)
    again = ClipSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert again.hash == spec.hash


@pytest.mark.parametrize("field", [("frame_size", 112), ("fit", "letterbox")])
def test_what_changes_no_byte_of_native_crops_is_not_in_their_hash(field):
    change = dict([field])
    assert ClipSpec(**change).hash == ClipSpec().hash
    resized = ClipSpec(geometry="resized")
    assert dataclasses.replace(resized, **change).hash != resized.hash


@pytest.mark.parametrize("field", CHANGES)
def test_every_change_changes_the_hash(field):
    assert dataclasses.replace(ClipSpec(), **{field: CHANGES[field]}).hash != ClipSpec().hash


def test_a_mismatch_shows_both_sides():
    with pytest.raises(UserError, match="frame_size: 224 against 112"):
        require_same_spec(ClipSpec().to_dict(), ClipSpec(frame_size=112).to_dict(), "the run", "the records")


def test_equal_specs_pass_although_json_made_lists_of_tuples():
    spec = ClipSpec()
    require_same_spec(spec.to_dict(), json.loads(json.dumps(spec.to_dict())), "a", "b")


@pytest.mark.parametrize(
    "values",
    [
        {"encoding": "bmp"},
        {"geometry": "square"},
        {"sampling": "random"},
        {"shots": "all"},
        {"detector": "hog"},
        {"tracking": "none", "geometry": "resized"},
        {"fit": "crop"},
        {"num_frames": 0},
        {"num_frames": MAX_FRAMES + 1},
        {"clips_per_video": 0},
        {"clips_per_video": MAX_CLIPS + 1, "sampling": "consecutive"},
        {"frame_size": 10**6},
        {"min_found": 1.5},
        {"min_found": -0.1},
        {"margin": -0.5},
        {"margin": 2.5},
        {"max_size_range": 0.9},
        {"max_size_range": 101},
        {"clips_per_video": 2},
        {"max_side": MIN_FRAME_SIZE - 1},
        {"max_side": MAX_FRAME_SIZE + 1},
        {"max_side": 300, "geometry": "resized"},
        {"encoding": "jpeg"},
        {"tracking": "per_frame"},
    ],
)
def test_refuses_what_makes_no_sense(values):
    with pytest.raises(UserError, match=f"--{next(iter(values))}={next(iter(values.values()))}"):
        ClipSpec(**values)


@pytest.mark.parametrize("side", [0, MIN_FRAME_SIZE, MAX_FRAME_SIZE])
def test_a_side_at_the_ends_of_its_range_is_taken(side):
    assert ClipSpec(max_side=side).max_side == side


def test_several_clips_of_a_video_are_adjacent_frames():
    assert ClipSpec(clips_per_video=2, sampling="consecutive").clips_per_video == 2


def test_the_hash_of_the_default_is_the_one_that_records_have():
    # Changes with any default: what was converted before is then not what would be converted now.
    assert ClipSpec().hash == "136bf3fa5b23"
