"""Reductions and masks in the resize on the device: what they show, and that nothing else shows."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from deepfake_tfdata.model.resize import ResizeView
from deepfake_tfdata.pixels import VIEW
from tests.model.test_resize import close, noise, view

SIZE, SIDE = 24, 128


@tf.function(input_signature=[tf.TensorSpec((1, 1, SIDE, SIDE, 3), tf.uint8), tf.TensorSpec((1, len(VIEW)))])
def compiled(frames, view):
    return ResizeView(SIZE)(frames, view)


def resize(image, seen):
    """One image uint8 [H, W, 3] through the layer, in the padding of a batch: noise."""
    frames = np.random.default_rng(1).integers(0, 256, (1, 1, SIDE, SIDE, 3), np.uint8)
    frames[0, 0, : image.shape[0], : image.shape[1]] = image
    return compiled(frames, seen).numpy()[0, 0]


any_edges = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted).filter(lambda e: e[0] < e[1])


def lanczos(image, height, width, box=None):
    """Pillow's resize in float32 to any size."""
    channels = [
        Image.fromarray(channel.astype(np.float32)).resize((width, height), Image.Resampling.LANCZOS, box=box)
        for channel in np.moveaxis(image, -1, 0)
    ]
    return np.stack([np.asarray(channel) for channel in channels], -1)


def rectangle(rows, columns):
    return rows[0], columns[0], rows[1], columns[1]


@settings(max_examples=25)
@given(
    st.integers(12, 70),
    st.integers(12, 70),
    st.floats(0.05, 0.999),
    st.tuples(st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0.5, 1), st.floats(0.5, 1)),
)
def test_a_reduction_and_a_window_are_two_of_pillows_resizes(height, width, retention, window):
    image = noise(height, width)
    top, left, bottom, right = window * np.array([height, width] * 2)
    rows, columns = (max(1, np.float32(retention) * np.float32(side)) for side in (height, width))
    rows, columns = round(float(rows)), round(float(columns))
    box = np.array(
        [left * columns / width, top * rows / height, right * columns / width, bottom * rows / height]
    )
    expected = lanczos(lanczos(image, rows, columns), SIZE, SIZE, tuple(box))
    seen = view(height, width, (top, left, bottom, right), retention=retention)
    close(resize(image, seen), np.round(np.clip(expected, 0, 255)))


def test_the_picture_is_reduced_on_its_own_grid_wherever_it_lies():
    image = noise(60, 70)
    inner = image[8:48, 20:60]
    moved = view(60, 70, (18, 25, 48, 55), picture=(8, 20, 48, 60), retention=0.45)
    alone = view(40, 40, (10, 5, 40, 35), retention=0.45)
    close(resize(image, moved), resize(inner, alone))


def test_a_retention_of_one_leaves_every_bit_as_it_is():
    image = noise(50, 40)
    before = resize(image, view(50, 40))
    nearly = resize(image, view(50, 40, retention=0.9999))
    np.testing.assert_array_equal(resize(image, view(50, 40, retention=1.0)), before)
    close(nearly, before)


@settings(max_examples=25)
@given(any_edges, any_edges, any_edges, any_edges, st.sampled_from([1.0, 0.7, 0.2]), st.booleans())
def test_nothing_outside_of_the_picture_is_read(rows, columns, window_rows, window_columns, retention, flip):
    left, right = window_columns[::-1] if flip else window_columns
    window = (window_rows[0], left, window_rows[1], right)
    seen = view(40, 40, window, picture=rectangle(rows, columns), retention=retention)
    image, other = noise(40, 40), np.zeros((40, 40, 3), np.uint8)
    inside = np.s_[slice(*rows), slice(*columns)]
    other[inside] = image[inside]
    result = resize(image, seen)
    np.testing.assert_array_equal(result, resize(other, seen))
    centres = np.linspace(*window[::2], SIZE + 1)[:-1] + (window[2] - window[0]) / SIZE / 2
    outside = (centres < rows[0]) | (centres > rows[1])
    assert (result[outside] == 128).all()


@settings(max_examples=25)
@given(any_edges, any_edges, any_edges, any_edges, st.sampled_from([1.0, 0.7, 0.2]))
def test_nothing_that_is_hidden_shows_and_all_else_does(
    rows, columns, window_rows, window_columns, retention
):
    window = rectangle(window_rows, window_columns)
    seen = view(40, 40, window, hidden=rectangle(rows, columns), retention=retention)
    image = np.full((40, 40, 3), 200, np.uint8)
    result = resize(image, seen)
    image[slice(*rows), slice(*columns)] = noise(rows[1] - rows[0], columns[1] - columns[0])
    np.testing.assert_array_equal(result, resize(image, seen))
    assert set(np.unique(result)) <= {128, 200}
    # What is grey is no further from what is hidden than both filters reach.
    grey = result[..., 0] == 128
    for axis, (start, end), (first, last) in ((1, window_rows, rows), (0, window_columns, columns)):
        scale = (end - start) / SIZE
        reach = (
            3 * max(scale, 1)
            if retention == 1
            else 3 * 40 / round(40 * retention) + 3 * max(scale, 40 / round(40 * retention))
        )
        centres = start + (np.arange(SIZE) + 0.5) * scale
        far = (centres < first - reach - 1) | (centres > last + reach + 1)
        assert not grey.any(axis=axis)[far].any()


def test_a_mask_hides_by_source_pixels_however_the_window_lies():
    image = noise(40, 40)
    plain, mirrored = (
        resize(image, view(40, 40, (0, *x), picture=(10, 4, 30, 20), hidden=(12, 12, 14, 14)))
        for x in ((0, 40, 40), (40, 40, 0))
    )
    close(mirrored, plain[:, ::-1])


def stripes(side, period):
    columns = 128 + 60 * np.cos(2 * np.pi * np.arange(side) / period)
    return np.broadcast_to(columns.round().astype(np.uint8)[None, :, None], (side, side, 3))


@pytest.mark.parametrize("transpose", [False, True])
def test_stripes_finer_than_the_reduced_grid_vanish_and_stay_without_the_reduction(transpose):
    # A wave of 2.5 pixels is held by pixels of 1, and not by those of 2.
    image = stripes(34, 2.5)
    image = image.transpose(1, 0, 2) if transpose else image
    window = (10, 5, 34, 29)
    native = resize(image, view(34, 34, window))
    reduced = resize(image, view(34, 34, window, retention=0.5))
    assert native[4:-4, 4:-4].std() > 35
    assert reduced[4:-4, 4:-4].std() < 2


def test_clips_of_a_batch_have_views_of_their_own():
    image = noise(30, 30)
    views = [
        view(30, 30),
        view(30, 30, retention=0.3),
        view(30, 30, picture=(5, 5, 20, 20)),
        view(0, 0, retention=0.5),
    ]
    batch = keras.ops.convert_to_numpy(
        ResizeView(SIZE)(np.stack([image] * 4)[:, None], np.concatenate(views))
    )[:, 0]
    for result, seen in zip(batch, views, strict=True):
        close(result, resize(image, seen) if seen[0, 2] else np.full_like(result, 128))
