"""The resize on the device against Pillow's, which the converter uses."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from deepfake_tfdata.model.resize import ResizeView
from deepfake_tfdata.pixels import VIEW, view_numbers


def view(height, width, window=None, **numbers):
    """The whole picture, or a window of it; further numbers, and rectangles, by name."""
    whole = (0, 0, height, width)
    rectangles = {name: numbers.pop(name) for name in ("retention", "hidden") if name in numbers}
    values = view_numbers(numbers.pop("picture", whole), window or whole, **rectangles)
    return np.float32([[numbers.get(name, value) for name, value in zip(VIEW, values, strict=True)]])


def resize(image, size, seen, padded=None):
    """One image uint8 [H, W, 3] through the layer, padded with noise to a larger shape."""
    height, width = image.shape[:2]
    frames = np.random.default_rng(1).integers(0, 256, (1, 2, *(padded or (height, width)), 3), np.uint8)
    frames[:, :, :height, :width] = image
    result = keras.ops.convert_to_numpy(ResizeView(size)(frames, seen))
    assert result.shape == (1, 2, size, size, 3)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result[0, 0], result[0, 1])
    return result[0, 0]


def pillow(image, size, box=None):
    """Pillow's resize in float32, which neither rounds nor clips between the directions."""
    channels = [
        Image.fromarray(image[..., c].astype(np.float32)).resize(
            (size, size), Image.Resampling.LANCZOS, box=box
        )
        for c in range(3)
    ]
    return np.round(np.clip(np.stack([np.asarray(channel) for channel in channels], -1), 0, 255))


def close(result, expected):
    """Equal but for a rare half that is rounded the other way."""
    difference = np.abs(result.astype(int) - expected.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@settings(max_examples=25)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([16, 33, 48]), st.integers(0, 40))
def test_any_size_is_resized_as_pillow_does_whatever_the_padding(height, width, size, padding):
    image = noise(height, width)
    padded = (height + padding, width + 2 * padding)
    close(resize(image, size, view(height, width), padded), pillow(image, size))


def test_pillows_own_eight_bits_differ_by_a_level_or_two():
    image = noise(70, 50)
    smooth = np.asarray(Image.fromarray(image).resize((60, 80), Image.Resampling.BICUBIC)) // 2 + 60
    expected = np.asarray(Image.fromarray(smooth).resize((48, 48), Image.Resampling.LANCZOS))
    difference = np.abs(resize(smooth, 48, view(*smooth.shape[:2])).astype(int) - expected)
    assert difference.max() <= 1


@settings(max_examples=25)
@given(st.floats(0, 20), st.floats(0, 20), st.floats(20, 59), st.floats(20, 79))
def test_a_window_is_pillows_box(top, left, height, width):
    image = noise(80, 100)
    box = (left, top, left + width, top + height)
    seen = view(80, 100, (top, left, top + height, left + width))
    close(resize(image, 32, seen), pillow(image, 32, box))


def test_a_mirrored_window_mirrors():
    image = noise(40, 60)
    plain, mirrored = (resize(image, 32, view(40, 60, (0, *x))) for x in ((0, 40, 60), (60, 40, 0)))
    close(mirrored, plain[:, ::-1])


def test_outside_the_crop_is_grey():
    # 60 x 20 in a square: 32 x 11 in the middle, as the converter's letterbox places it.
    image = noise(20, 60)
    scale = 20 / 11
    seen = view(20, 60, (-10 * scale, 0, 22 * scale, 60))
    result = resize(image, 32, seen, (24, 64))
    assert (result[:10] == 128).all()
    assert (result[21:] == 128).all()
    channels = [
        np.asarray(
            Image.fromarray(image[..., c].astype(np.float32)).resize((32, 11), Image.Resampling.LANCZOS)
        )
        for c in range(3)
    ]
    close(result[10:21], np.round(np.clip(np.stack(channels, -1), 0, 255)))


def test_contrast_and_brightness_act_around_mid_grey():
    image = np.full((10, 10, 3), 100, np.uint8)
    assert (resize(image, 16, view(10, 10, contrast=2.0, brightness=4.7)) == round(128 - 56 + 4.7)).all()
    assert (resize(image, 16, view(10, 10, brightness=300.0)) == 255).all()


def test_saturation_moves_a_pixel_to_or_from_its_own_grey():
    image = np.full((10, 10, 3), (200, 100, 50), np.uint8)
    grey = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    for saturation in (0.0, 0.5, 1.2):
        expected = np.round(grey + saturation * (image[0, 0] - grey))
        assert (resize(image, 16, view(10, 10, saturation=saturation)) == expected).all()


def test_a_clip_without_size_gives_grey_and_no_nan():
    assert (resize(noise(8, 8), 16, view(0, 0)) == 128).all()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_policies_change_no_pixel(policy):
    image = noise(50, 40)
    expected = resize(image, 32, view(50, 40))
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        np.testing.assert_array_equal(resize(image, 32, view(50, 40)), expected)
    finally:
        keras.config.set_dtype_policy(before)


def test_it_is_saved_and_loaded(tmp_path):
    frames = keras.Input((2, None, None, 3), dtype="uint8")
    seen = keras.Input((len(VIEW),))
    model = keras.Model([frames, seen], ResizeView(24)(frames, seen))
    model.save(tmp_path / "resize.keras")
    loaded = keras.models.load_model(tmp_path / "resize.keras")
    inputs = [noise(30, 40)[None, None].repeat(2, 1), view(30, 40)]
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


def test_no_more_than_a_clip_at_a_time_is_in_float32():
    layer = ResizeView(8)

    @tf.function(input_signature=[tf.TensorSpec((4, 2, 16, 16, 3), tf.uint8), tf.TensorSpec((4, len(VIEW)))])
    def resize(frames, view):
        return layer(frames, view)

    operations = resize.get_concrete_function().graph.get_operations()
    of_batch = [each for operation in operations for each in operation.outputs if each.shape[:2] == (4, 2)]
    assert {each.dtype for each in of_batch} == {tf.uint8}
