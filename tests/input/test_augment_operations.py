"""What each augmentation does to pixels, against NumPy, SciPy, Pillow, or by a property."""

import io

import numpy as np
import pytest
import scipy.fft
import scipy.ndimage
import skimage.data
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from deepfake_tfdata.input.augment import OPERATIONS, compression, picture, temporal, view

ALIKE = sorted({*OPERATIONS} - {"noise", "frame_drop", "reverse", "codec"})
# 44 x 37, not whole blocks of a codec, and moving.
FACE = skimage.data.astronaut()[80:140, 190:250]
CLIP = np.stack([FACE[t : t + 44, t : t + 37] for t in range(4)])
sizes = st.integers(1, 20)
any_seed = st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))


def apply(name, frames, seed=(3, 4)):
    return OPERATIONS[name].apply(tf.constant(frames), tf.constant(seed, tf.int32)).numpy()


def difference(first, second):
    return np.abs(first.astype(float) - second)


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=15, deadline=None)
@given(shape=st.tuples(st.integers(1, 5), sizes, sizes), seed=any_seed)
def test_any_size_keeps_its_shape_and_a_still_clip_stays_still(name, shape, seed):
    frame = np.random.default_rng(0).integers(0, 256, (1, *shape[1:], 3), np.uint8)
    result = apply(name, np.repeat(frame, shape[0], axis=0), seed)
    assert result.shape == (*shape, 3)
    assert result.dtype == np.uint8
    if name != "noise":
        np.testing.assert_array_equal(result, np.repeat(result[:1], shape[0], axis=0))


@pytest.mark.parametrize("name", ALIKE)
def test_a_frame_is_treated_alike_wherever_it_stands(name):
    whole = apply(name, CLIP)
    for index, frame in enumerate(CLIP):
        np.testing.assert_array_equal(whole[index], apply(name, frame[None])[0])


def test_flip_mirrors_left_and_right():
    np.testing.assert_array_equal(apply("flip", CLIP), CLIP[:, :, ::-1])


def test_colour_scales_around_mid_grey_and_shifts(monkeypatch):
    monkeypatch.setattr(view, "_BRIGHTNESS", (10.0, 10.0))
    monkeypatch.setattr(view, "_CONTRAST", (1.1, 1.1))
    monkeypatch.setattr(view, "_SATURATION", (1.0, 1.0))
    expected = np.clip(128 + 1.1 * (CLIP.astype(float) - 128) + 10, 0, 255)
    assert difference(apply("colour", CLIP), expected).max() <= 0.51


def test_colour_saturates_as_pillow_does(monkeypatch):
    monkeypatch.setattr(view, "_BRIGHTNESS", (0.0, 0.0))
    monkeypatch.setattr(view, "_CONTRAST", (1.0, 1.0))
    monkeypatch.setattr(view, "_SATURATION", (0.6, 0.6))
    expected = np.asarray(ImageEnhance.Color(Image.fromarray(CLIP[0])).enhance(0.6))
    assert difference(apply("colour", CLIP[:1])[0], expected).max() <= 1


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_jpeg_is_what_pillow_writes(monkeypatch, quality):
    monkeypatch.setattr(compression, "_JPEG_QUALITY", (quality, quality))
    stream = io.BytesIO()
    Image.fromarray(CLIP[0]).save(stream, "JPEG", quality=quality, subsampling="4:2:0")
    assert difference(apply("jpeg", CLIP[:1])[0], np.asarray(Image.open(stream))).max() <= 2


def test_jpeg_errs_more_at_lower_quality(monkeypatch):
    errors = []
    for quality in (95, 75, 50, 30):
        monkeypatch.setattr(compression, "_JPEG_QUALITY", (quality, quality))
        errors.append(difference(apply("jpeg", CLIP), CLIP).mean())
    assert errors == sorted(errors)
    assert errors[0] < 3
    assert errors[-1] < 12


def expected_codec(clip, quantiser):
    """The codec by SciPy, block by block; H and W are whole blocks."""
    step = 2 ** ((quantiser - 4) / 6)
    red, green, blue = np.moveaxis(clip.astype(float) - 128, -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = np.stack([luma, (blue - luma) / 1.772, (red - luma) / 1.402])
    result = np.empty_like(planes)
    for plane, top, left in np.ndindex(3, clip.shape[1] // 8, clip.shape[2] // 8):
        block = np.s_[8 * top : 8 * top + 8, 8 * left : 8 * left + 8]
        previous = np.zeros((8, 8))
        for index in range(len(clip)):
            change = scipy.fft.dctn(planes[plane, index][block], norm="ortho") - previous
            rounding = 1 / 6 if index else 1 / 3
            previous = previous + step * np.sign(change) * np.floor(np.abs(change) / step + rounding)
            result[plane, index][block] = scipy.fft.idctn(previous, norm="ortho")
    luma, blue, red = result[0], result[0] + 1.772 * result[1], result[0] + 1.402 * result[2]
    green = (luma - 0.299 * red - 0.114 * blue) / 0.587
    return np.clip(128 + np.stack([red, green, blue], axis=-1), 0, 255)


@pytest.mark.parametrize("quantiser", [23.0, 40.0])
def test_codec_is_a_quantised_cosine_transform_of_changes(monkeypatch, quantiser):
    monkeypatch.setattr(compression, "_CODEC_QUANTISER", (quantiser, quantiser))
    clip = CLIP[:, :40, :32]
    error = difference(apply("codec", clip), expected_codec(clip, quantiser))
    # A coefficient that lies on the border between two steps may fall to either side.
    assert (error <= 0.51).mean() > 0.99


def test_codec_loses_detail_with_its_quantiser_and_faint_changes(monkeypatch):
    errors = []
    for quantiser in (4.0, 23.0, 31.0, 40.0):
        monkeypatch.setattr(compression, "_CODEC_QUANTISER", (quantiser, quantiser))
        errors.append(difference(apply("codec", CLIP), CLIP).mean())
    assert errors == sorted(errors)
    assert errors[0] < 1
    faint = np.random.default_rng(1).integers(0, 3, CLIP[:1].shape, np.uint8)
    result = apply("codec", np.concatenate([CLIP[:1], np.clip(CLIP[:1], 0, 250) + faint]))
    np.testing.assert_array_equal(result[0], result[1])


@pytest.mark.parametrize("width", [0.1, 1.0, 3.0])
def test_blur_is_a_gaussian(monkeypatch, width):
    monkeypatch.setattr(picture, "_BLUR", (width, width))
    # Beyond the edge there is nothing, neither pixels nor their weight.
    blurred, weight = (
        scipy.ndimage.gaussian_filter(values, (0, width, width, 0), mode="constant", truncate=9)
        for values in (CLIP.astype(float), np.ones(CLIP.shape))
    )
    assert difference(apply("blur", CLIP), blurred / weight).max() <= 0.51


def test_blur_lowers_high_frequencies_and_keeps_the_mean():
    def energy(frames):
        return np.square(np.diff(frames.astype(float), axis=2)).mean()

    result = apply("blur", CLIP)
    assert energy(result) < 0.7 * energy(CLIP)
    assert abs(result.mean() - CLIP.mean()) < 2


def test_noise_is_gaussian_and_new_in_every_frame(monkeypatch):
    monkeypatch.setattr(picture, "_NOISE", (9.0, 9.0))
    added = apply("noise", np.full((4, 64, 64, 3), 128, np.uint8)).astype(float) - 128
    assert added.std(axis=(1, 2, 3)) == pytest.approx([9.0] * 4, rel=0.03)
    assert abs(added.mean()) < 0.2
    assert abs(np.corrcoef(added.reshape(4, -1)) - np.eye(4)).max() < 0.05


@pytest.mark.parametrize("seed", range(5))
def test_downscale_removes_stripes_of_three_pixels_and_keeps_a_slope(seed):
    columns = np.arange(96)
    stripes = 128 + 60 * np.cos(2 * np.pi * columns / 3)
    slope = 40.0 + 2 * columns
    clip = np.stack([stripes, slope]).round().astype(np.uint8)[:, None, :, None] * np.ones(
        (1, 80, 1, 3), np.uint8
    )
    result = apply("downscale", clip, (seed, 0)).astype(float)
    assert result[0].std() < 0.1 * clip[0].std()
    assert difference(result[1, :, 8:-8], clip[1, :, 8:-8]).max() <= 2


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=any_seed)
def test_cutout_covers_one_rectangle_with_grey_and_leaves_the_rest(height, width, seed):
    clip = np.random.default_rng(0).integers(0, 128, (2, height, width, 3), np.uint8)
    result = apply("cutout", clip, seed)
    covered = (result == 128).all(axis=(0, 3))
    np.testing.assert_array_equal(result[:, ~covered], clip[:, ~covered])
    for axis, size in ((1, height), (0, width)):
        lines = np.flatnonzero(covered.any(axis=axis))
        assert len(lines) <= round(0.4 * size + 0.01)
        assert (np.diff(lines) == 1).all()
    assert covered.sum() == covered.any(axis=0).sum() * covered.any(axis=1).sum()


def test_cutout_reaches_every_part_of_the_frame():
    clip = np.zeros((1, 30, 30, 3), np.uint8)
    often = np.mean([apply("cutout", clip, (seed, 0))[0, :, :, 0] for seed in range(200)], axis=0) / 128
    assert often.mean(axis=0).min() > 0
    assert often.mean(axis=1).min() > 0
    assert 0.04 < often.mean() < 0.09  # 0.25 of each side on average


@settings(max_examples=40, deadline=None)
@given(length=st.integers(1, 60), seed=any_seed)
def test_frame_drop_repeats_the_frame_before(length, seed):
    clip = np.arange(length, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 2, 3), np.uint8)
    shown = apply("frame_drop", clip, seed)[:, 0, 0, 0].astype(int)
    assert shown[0] == 0
    assert all(shown[i] in (i, shown[i - 1]) for i in range(1, length))


def test_frame_drop_loses_its_share(monkeypatch):
    monkeypatch.setattr(temporal, "_DROPPED", (0.2, 0.2))
    clip = np.arange(250, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 1, 3), np.uint8)
    lost = [(apply("frame_drop", clip, (seed, 0)) != clip).mean() for seed in range(20)]
    assert np.mean(lost) == pytest.approx(0.2, abs=0.02)


def test_reverse_twice_is_the_clip_itself():
    once = apply("reverse", CLIP)
    np.testing.assert_array_equal(once, CLIP[::-1])
    np.testing.assert_array_equal(apply("reverse", once), CLIP)
