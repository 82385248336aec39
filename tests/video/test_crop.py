import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.pixels import MID_GREY
from deepfake_tfdata.video.crop import crop, encode, grow_boxes, letterbox, resize, stored_form, whole_pixels

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


@given(st.integers(-80, 80), st.integers(-80, 80), st.integers(1, 90), st.integers(1, 90))
def test_a_crop_has_its_size_and_repeats_the_edge_outside(left, top, width, height):
    cut = crop(IMAGE, np.array([left, top, left + width, top + height]))
    assert cut.shape == (height, width, 3)
    row, column = np.clip(top, 0, 39), np.clip(left, 0, 59)
    np.testing.assert_array_equal(cut[0, 0], IMAGE[row, column])


@given(st.floats(-50, 50), st.floats(1, 60))
def test_boxes_of_one_size_stay_of_one_size(offset, side):
    boxes = np.array([[x, x, x + side, x + side] for x in offset + np.linspace(0, 3, 7)], np.float32)
    whole = whole_pixels(boxes)
    assert len(np.unique(whole[:, 2:] - whole[:, :2])) == 1


def test_boxes_of_one_width_and_another_height_stay_of_one_size():
    # Half pixels, which float noise would round both ways.
    corners = np.linspace(1000.1, 1003.7, 50)
    boxes = np.array([[x, x, x + 20.5, x + 30.5] for x in corners], np.float32)
    assert len(np.unique(np.diff(whole_pixels(boxes).reshape(-1, 2, 2), axis=1), axis=0)) == 1


def test_boxes_are_rounded_to_whole_pixels():
    boxes = np.array([[-1.4, 2.6, 8.5, 22.5], [0.6, 0.2, 10.8, 30.3]])
    assert whole_pixels(boxes).tolist() == [[-1, 3, 9, 23], [1, 0, 11, 30]]
    assert whole_pixels(np.array([[5.0, 5.0, 5.2, 9.0]])).tolist() == [[5, 5, 6, 9]]  # one pixel at least


SQUARES = [region for name, region in REGIONS.items() if name in ("full", "wide") or name.endswith("_square")]


@given(st.floats(-50, 3000), st.floats(-50, 3000), st.integers(20, 600), st.sampled_from(SQUARES))
def test_squares_of_a_face_stay_square_to_the_pixel(left, top, pixels, region):
    # A side of that many pixels and a half, which float noise would round both ways.
    side = (pixels + 0.5) / (region.right - region.left)
    face = np.array([[left, top, left + side, top + side]], np.float32)
    for faces in (face, np.concatenate([face, face + np.float32([1, 2, 1, 2])])):
        sizes = np.diff(whole_pixels(region.boxes(faces)).reshape(-1, 2, 2), axis=1)
        assert (sizes[..., 0] == sizes[..., 1]).all()


def test_growing_moves_every_edge():
    np.testing.assert_allclose(grow_boxes(np.array([[10.0, 20, 30, 60]]), 0.5), [[0, 0, 40, 80]])


def test_the_resize_does_not_alias():
    # Stripes of 3.6 pixels, shrunk by 3: nothing of them may be left, as area averaging would leave it.
    rows = 127.5 + 100 * np.sin(2 * np.pi * np.arange(192) / 3.6)
    stripes = np.repeat(np.repeat(rows[:, None, None], 192, 1), 3, 2).astype(np.uint8)
    assert resize(stripes, 64)[8:-8].std() < 4
    assert resize(stripes[:64, :64], 64).std() > 60


@pytest.mark.parametrize(("encoding", "bound"), [("png", 0), ("jpeg", 12)])
def test_encodings_keep_the_pixels(encoding, bound):
    smooth = resize(IMAGE[:4, :6], 64)
    decoded = np.asarray(Image.open(io.BytesIO(encode(smooth, encoding))).convert("RGB"))
    assert np.abs(decoded.astype(int) - smooth).mean() <= bound / 4
    assert np.abs(decoded.astype(int) - smooth).max() <= bound


def test_jpeg_does_not_subsample_colour():
    image = Image.open(io.BytesIO(encode(IMAGE, "jpeg")))
    assert {component[1:3] for component in image.layer} == {(1, 1)}


@pytest.mark.parametrize(
    ("shape", "height", "width", "top", "left"),
    [((20, 40), 8, 16, 4, 0), ((40, 20), 16, 8, 0, 4), ((30, 30), 16, 16, 0, 0), ((1, 60), 1, 16, 7, 0)],
)
def test_a_letterbox_keeps_the_shape_in_the_middle_of_grey(shape, height, width, top, left):
    boxed = letterbox(np.full((*shape, 3), 200, np.uint8), 16)
    expected = np.full((16, 16, 3), MID_GREY)
    expected[top : top + height, left : left + width] = 200
    np.testing.assert_array_equal(boxed, expected)


@pytest.mark.parametrize(
    ("max_side", "size", "expected"),
    [
        (0, (40, 60), (40, 60)),
        (60, (40, 60), (40, 60)),
        (30, (40, 60), (20, 30)),
        (30, (20, 60), (10, 30)),
        (60, (20, 30), (20, 30)),
    ],
)
def test_a_native_crop_is_reduced_to_its_longest_side(max_side, size, expected):
    stored = stored_form(IMAGE, ClipSpec(geometry="native", max_side=max_side), size)
    assert stored.shape == (*expected, 3)
    assert (expected == (40, 60)) == np.array_equal(stored, IMAGE)
