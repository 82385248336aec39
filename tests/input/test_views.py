"""Views of one native record: the arms of the experiment, as the detector gets them."""

import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import load_clips
from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.augment import augment_native_clip, clip_seed
from deepfake_tfdata.input.batch_order import HostShare
from deepfake_tfdata.input.batches import find_split, load_for_training, load_in_order
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.input.views import view_of, whole_view
from deepfake_tfdata.model.resize import ResizeView
from deepfake_tfdata.pixels import VIEW
from deepfake_tfdata.video.process import process_video
from tests.fakes import FRAME_SIZE, face_frames, write_video

SPEC = ClipSpec()
WINDOW, PICTURE = slice(4, 8), slice(0, 4)


def numbers(name, side, region="full", frame_size=FRAME_SIZE):
    height = tf.constant(side, tf.int64)
    return view_of(height, height, name, region, SPEC, frame_size).numpy()


def shown(frames, name, region="full", view=None):
    """uint8 [T, S, S, 3] as integers: what a detector sees of frames [T, H, H, 3]."""
    view = numbers(name, frames.shape[1], region) if view is None else view
    return np.asarray(ResizeView(FRAME_SIZE)(frames[None], view[None]))[0].astype(int)


def noise(side):
    """Within a range that no filter leaves: what it does is then linear."""
    return np.random.default_rng(0).integers(100, 156, (1, side, side, 3), np.uint8)


def test_the_whole_face_is_all_of_a_full_crop():
    whole = whole_view(tf.constant(75), tf.constant(75), "stretch", FRAME_SIZE).numpy()
    for name in ("", "whole"):
        np.testing.assert_array_equal(numbers(name, 75), whole)


def test_the_reduced_mouth_is_the_enlarged_part_of_what_the_whole_face_shows():
    frames = noise(80)
    face = shown(frames, "whole").astype(np.uint8)
    # The mouth's square, whole pixels of the frame, in pixels of the face that the network gets.
    top, left, bottom, right = numbers("mouth", 80)[WINDOW] * FRAME_SIZE / 80
    part = whole_view(tf.constant(FRAME_SIZE), tf.constant(FRAME_SIZE), "stretch", FRAME_SIZE).numpy()
    part[WINDOW] = top, left, bottom, right
    expected = shown(face, "", view=part)
    assert np.abs(shown(frames, "mouth_reduced") - expected).max() <= 2
    assert np.abs(shown(frames, "mouth") - expected).mean() > 5


@pytest.mark.parametrize("side", [20, 47, 48])
def test_a_face_that_the_network_sees_whole_loses_nothing_and_has_a_placebo(side):
    np.testing.assert_array_equal(numbers("mouth_reduced", side), numbers("mouth", side))
    assert not np.array_equal(numbers("mouth_reduced", side + 30), numbers("mouth", side + 30))


def test_the_mouth_alone_is_the_whole_face_inside_and_grey_outside():
    frames = noise(96)
    whole, only = shown(frames, "whole"), shown(frames, "mouth_only")
    edges = numbers("mouth", 96)[WINDOW] / 2
    np.testing.assert_array_equal(edges, numbers("mouth_only", 96)[PICTURE] / 2)
    top, left, bottom, right = np.round(edges).astype(int)
    inside = np.s_[:, top + 3 : bottom - 3, left + 3 : right - 3]
    np.testing.assert_array_equal(only[inside], whole[inside])
    outside = np.ones(only.shape[1:3], bool)
    outside[top - 1 : bottom + 1, left - 1 : right + 1] = False
    assert (only[:, outside] == 128).all()
    changed = 255 - frames
    top, left, bottom, right = numbers("mouth", 96)[WINDOW].astype(int)
    changed[:, top:bottom, left:right] = frames[:, top:bottom, left:right]
    np.testing.assert_array_equal(shown(changed, "mouth_only"), only)


def test_the_background_shows_nothing_of_the_face():
    frames = noise(80)
    before = shown(frames, "background", "wide")
    changed = frames.copy()
    face = np.s_[:, 24:64, 20:60]  # from 60 of 200 % and from 50
    changed[face] = 255 - frames[face]
    np.testing.assert_array_equal(shown(changed, "background", "wide"), before)
    assert not np.array_equal(shown(changed, "", "wide"), shown(frames, "", "wide"))
    # All around it, but for what a filter of 3 of 48 pixels to either side reaches from there.
    assert 0.2 < (before != 128).mean() < 0.44


def test_a_face_is_seen_alike_in_its_own_records_and_in_wide_ones(tmp_path):
    path = write_video(tmp_path / "face.mp4", face_frames(4))
    spec = ClipSpec(num_frames=2)
    clips = process_video(
        Video(str(path), "0", 0, "original", "0"), spec, [REGIONS["full"], REGIONS["wide"]]
    ).clips
    frames = {}
    for region, (clip,) in clips.items():
        pixels = np.frombuffer(b"".join(clip.frames), np.uint8)
        frames[region] = pixels.reshape(2, clip.height, clip.width, 3)
    assert frames["wide"].shape[1] == pytest.approx(2 * frames["full"].shape[1], abs=1)
    for name in ("whole", "mouth", "mouth_reduced", "mouth_only"):
        # Crops begin at whole pixels, each for itself.
        assert np.abs(shown(frames["full"], name) - shown(frames["wide"], name, "wide")).mean() < 4


@pytest.mark.parametrize("name", ["mouth_only", "mouth_reduced"])
def test_augmentations_mirror_and_zoom_a_view_and_leave_its_mask_at_its_pixels(name):
    frames = noise(96)
    view = numbers(name, 96)
    seen = shown(frames, name)
    for epoch in range(4):
        seed = clip_seed(3, tf.constant(epoch), tf.constant("a"))
        _, changed = augment_native_clip(
            tf.constant(frames), tf.constant(view), seed, ["flip", "zoom", "colour"]
        )
        changed = changed.numpy()
        for part in (PICTURE, slice(8, 13)):
            np.testing.assert_array_equal(changed[part], view[part])
        top, left, bottom, right = changed[WINDOW]
        left, right = sorted((left, right))
        assert view[4] <= top < bottom <= view[6] + 1e-3
        assert view[5] <= left < right <= view[7] + 1e-3
        others = 255 - frames
        rows, columns = (slice(*changed[PICTURE][axis::2].astype(int)) for axis in (0, 1))
        others[:, rows, columns] = frames[:, rows, columns]
        np.testing.assert_array_equal(shown(others, "", view=changed), shown(frames, "", view=changed))
    mirrored = view.copy()
    mirrored[VIEW.index("left")], mirrored[VIEW.index("right")] = view[[7, 5]]
    assert np.abs(shown(frames, "", view=mirrored) - seen[:, :, ::-1]).max() <= 1


def test_the_options_view_is_what_training_and_scoring_load(records):
    options = InputOptions(data=str(records), region="full", view="mouth@0.5", batch_size=2, augment="none")
    shards = find_split(options, "train")
    training = load_for_training(
        options, shards, HostShare(0, 1, 2), 2, seed=0, first_epoch=0, first_step=0, shapes="many"
    )
    for batches in (
        training,
        load_in_order(options, shards),
        load_clips(records, "full", "val", 2, view="mouth@0.5"),
    ):
        features, _ = next(iter(batches))
        for height, view in zip(features["height"], features["view"], strict=True):
            np.testing.assert_array_equal(view, numbers("mouth@0.5", int(height)))


def test_what_the_records_do_not_hold_is_refused_before_anything_is_read(records, resized_records):
    with pytest.raises(UserError, match="--view=mouth looks at more of the face than --region=mouth holds"):
        find_split(InputOptions(data=str(records), view="mouth"), "train")
    with pytest.raises(UserError, match=r"--view=background .* use --region=wide"):
        load_clips(records, "full", "train", view="background")
    with pytest.raises(UserError, match="--view=mouth needs native records"):
        load_clips(resized_records, "full", "train", view="mouth")
    with pytest.raises(UserError, match="--view=mouth is of one region; give one, not --region=full,mouth"):
        InputOptions(region="full,mouth", view="mouth")
    with pytest.raises(UserError, match="--view=lips is unknown"):
        InputOptions(view="lips")
