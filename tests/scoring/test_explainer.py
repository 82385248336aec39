"""Maps and frames that speak for fake, in networks so small that the answer is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector
from deepfake_tfdata.model.assembly import assemble_published
from deepfake_tfdata.model.cuts import features_of_maps, last_maps
from deepfake_tfdata.model.detector import with_attention
from deepfake_tfdata.model.halves import temporal_detector
from deepfake_tfdata.pixels import view_numbers
from deepfake_tfdata.scoring.explanation import Explainer, class_activation, occlusion

SIZE = 16
BIAS, WEIGHT = -2.0, 3.0


@pytest.fixture(autouse=True)
def restored_policy():
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


def brightness(tail):
    """A backbone whose only map is the brightness of 4 x 4 pixels, 0 to 1; `tail` goes on."""
    images = keras.Input((SIZE, SIZE, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 255, dtype="float32")(images)
    convolution = keras.layers.Conv2D(1, 4, 4, use_bias=False)
    maps = convolution(x)
    convolution.set_weights([np.full((4, 4, 3, 1), 1 / 48)])
    return keras.Model(images, tail(keras.layers.GlobalAveragePooling2D()(maps)), name="backbone")


def linear(pooled):
    layer = keras.layers.Dense(1)
    logit = layer(pooled)
    layer.set_weights([np.array([[WEIGHT]]), np.array([BIAS])])
    return logit


def frames_with_patch(num_frames=1, top=4, left=8, size=SIZE):
    frames = np.full((1, num_frames, size, size, 3), 51, np.uint8)
    frames[:, :, top : top + 4, left : left + 4] = 255
    return frames


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_behind_an_average_and_a_linear_head_the_places_add_up_to_the_logit(policy):
    keras.config.set_dtype_policy(policy)
    detector = assemble_published(brightness(linear), 1, native=False)
    frames = frames_with_patch()
    found = class_activation(detector, frames)
    assert found.shape == (1, 1, 1, 4, 4)
    expected = np.full((4, 4), WEIGHT * 0.2 / 16)
    expected[1, 2] = WEIGHT / 16
    tolerance = 1e-6 if policy == "float32" else 2e-3
    np.testing.assert_allclose(found[0, 0, 0], expected, atol=tolerance)
    np.testing.assert_allclose(found.sum(), detector(frames)[0] - BIAS, atol=16 * tolerance)


def test_a_native_clip_is_explained_where_its_window_looks():
    detector = assemble_published(brightness(linear), 1, native=True)
    # The window of 32 x 32 pixels begins at (8, 4); the patch in it fills one cell of 4 x 4, after halving.
    clip = np.full((1, 1, 48, 40, 3), 51, np.uint8)
    clip[:, :, 8 + 8 : 8 + 16, 4 + 16 : 4 + 24] = 255
    view = np.float32([view_numbers((0, 0, 48, 40), (8, 4, 40, 36))])
    found = class_activation(detector, {"frames": clip, "view": view})[0, 0, 0]
    assert np.unravel_index(found.argmax(), found.shape) == (1, 2)
    np.testing.assert_allclose(found[1, 2], WEIGHT / 16, rtol=0.1)


def test_occlusion_falls_by_what_the_patch_hides():
    detector = assemble_published(brightness(linear), 1, native=False)
    found = occlusion(detector, frames_with_patch())[0, 0]
    # The darkest grey that hides nothing would be 51; 128 in its place of 4 x 4 pixels.
    bright = 16 * (255 - 128) / 255 / SIZE**2
    dark = 16 * (51 - 128) / 255 / SIZE**2
    assert found.shape == (8, 8)
    np.testing.assert_allclose(found[0, 0], WEIGHT * dark * 9 / 16, rtol=1e-3)  # cut at the corner
    np.testing.assert_allclose(found.max(), WEIGHT * (bright * 9 + dark * 7) / 16, rtol=1e-3)
    assert {(2, 4), (2, 5), (3, 4), (3, 5)} == {
        *zip(*np.nonzero(np.isclose(found, found.max())), strict=True)
    }


@pytest.fixture(scope="module")
def eagerly():
    """Tracing an LSTM and its gradient takes longer than running it a few times."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def two_regions(eagerly):
    """A native detector of two regions with an LSTM, two clips, what explains it and sees them."""
    keras.utils.set_random_seed(0)
    regions = ("full", "mouth")
    detector = build_detector(
        "meso4", "attention", 3, 64, "none", lstm_units=4, regions=regions, share_backbone=True, native=True
    )
    random = np.random.default_rng(0)
    inputs = {}
    for region, height in zip(regions, (40, 24), strict=True):
        inputs[region] = random.integers(0, 256, (2, 3, height, 40, 3), np.uint8)
        inputs[f"{region}_view"] = np.float32([view_numbers((0, 0, height, 40), (0, 0, height, 40))] * 2)
    explainer = Explainer(detector, clips_at_once=1)
    return detector, inputs, explainer, explainer.seen(inputs)


def test_the_stages_of_several_regions_together_are_the_detector(two_regions):
    detector, inputs, explainer, seen = two_regions
    assert [each.shape for each in seen] == [(2, 3, 64, 64, 3)] * 2
    np.testing.assert_allclose(explainer.logits(seen), detector(inputs), atol=1e-6)
    _, weights = with_attention(detector)(inputs)
    np.testing.assert_allclose(explainer.attention(seen), np.array(weights).sum(axis=1), atol=1e-6)


def test_a_frames_map_adds_up_to_what_a_straight_line_through_the_clip_says(two_regions):
    detector, _, explainer, seen = two_regions
    found = explainer.class_activation(seen)
    assert found.shape == (2, 2, 3, 2, 2)
    maps = last_maps(detector)(seen)
    features, logit = features_of_maps(detector), temporal_detector(detector)
    region, frame, step = 1, 2, 1e-2

    def logit_with(factor):
        scaled = [np.array(each) for each in maps]
        scaled[region][:, frame] *= factor
        return np.array(logit(features(scaled)))

    slope = (logit_with(1 + step) - logit_with(1 - step)) / (2 * step)
    np.testing.assert_allclose(found[:, region, frame].sum((-2, -1)), slope, rtol=1e-2, atol=1e-6)


def test_a_frame_is_replaced_by_its_neighbour_in_every_region(two_regions):
    _, _, explainer, seen = two_regions
    found, before = explainer.frame_replacement(seen), explainer.logits(seen)
    for frame, order in enumerate(([1, 1, 2], [0, 0, 2], [0, 1, 1])):
        fall = before - explainer.logits([each[:, order] for each in seen])
        assert np.abs(fall).max() > 1e-5
        np.testing.assert_allclose(found[:, frame], fall, atol=1e-6)


def test_a_detector_that_judges_single_frames_is_explained_too():
    explainer = Explainer(build_detector("meso4", "published", 2, 256, "none"))
    seen = [np.random.default_rng(0).integers(0, 256, (1, 2, 256, 256, 3), np.uint8)]
    assert explainer.class_activation(seen).shape == (1, 1, 2, 8, 8)
    before, swapped = explainer.logits(seen), explainer.logits([seen[0][:, [1, 1]]])
    np.testing.assert_allclose(explainer.frame_replacement(seen)[:, 0], before - swapped, atol=1e-5)
