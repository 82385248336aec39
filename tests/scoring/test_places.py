"""Where the network's square lies, and the original's pixels in the same place."""

import numpy as np
import pytest
from PIL import Image

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.input.views import view_of
from deepfake_tfdata.model.resize import ResizeView
from deepfake_tfdata.pixels import MID_GREY, view_numbers
from deepfake_tfdata.scoring.places import (
    drawn,
    has_pixels,
    place_native,
    place_resized,
    views_of_other,
)

SIZE = 32


@pytest.fixture
def source():
    """Three frames of a video, smooth enough that a shift of half a pixel is small."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (3, 12, 12, 3), np.uint8)
    return np.stack([np.asarray(Image.fromarray(each).resize((120, 120))) for each in coarse])


def crops(source, boxes):
    return np.stack(
        [
            frame[top:bottom, left:right]
            for frame, (left, top, right, bottom) in zip(source, boxes, strict=True)
        ]
    )


def shown(placed, views):
    frames = np.array(ResizeView(SIZE)(placed.frames[:, None], views.astype(np.float32)))
    return frames[:, 0]


def seen(placed):
    return shown(placed, np.tile(placed.view, (len(placed.frames), 1)))


# The face's track jitters by a few pixels from the fake's to the original's, and is a little larger there.
FAKE = np.array([[20, 30, 84, 94], [21, 30, 85, 94], [22, 31, 86, 95]])
ORIGINAL = FAKE + np.array([-3, 4, 1, 8])


def whole(height, width):
    return np.float32(view_numbers((0, 0, height, width), (0, 0, height, width)))


@pytest.mark.parametrize("view", [whole(64, 64), np.float32(view_numbers((0, 0, 64, 64), (24, 8, 60, 44)))])
def test_the_original_is_shown_where_the_fakes_square_is(source, view):
    fake = place_native(crops(source, FAKE), FAKE, view)
    original = place_native(crops(source, ORIGINAL), ORIGINAL, whole(68, 68))
    views = views_of_other(fake, original)
    has = has_pixels(views, SIZE)
    difference = np.abs(shown(original, views).astype(int) - seen(fake)).max(axis=-1)
    # Beside what is missing the filter has less to go by, and near its end the fake's crop has.
    assert difference[:, 8:-3, 3:-3].max() <= 1
    # The original's crop begins four rows below the fake's: two of the square's where all is seen.
    if view[4] == 0:
        assert (~has).sum(axis=(1, 2)).tolist() == [2 * SIZE] * 3
        assert (shown(original, views)[:, :2] == MID_GREY).all()
    else:
        assert has.all()


def test_pixels_that_were_made_a_square_are_found_again(source):
    def place(boxes, fit):
        resized = [np.asarray(Image.fromarray(each).resize((SIZE, SIZE))) for each in crops(source, boxes)]
        return place_resized(np.stack(resized), boxes, fit)

    fake, original = place(FAKE, "stretch"), place(ORIGINAL, "stretch")
    views = views_of_other(fake, original)
    difference = np.abs(shown(original, views).astype(int) - seen(fake)).max(axis=-1)
    assert difference[:, 4:-2, 2:-2].max() <= 6  # resampled twice, by two filters
    np.testing.assert_allclose(fake.squares_in_frame, FAKE)


def test_a_letterbox_reaches_beyond_the_box():
    boxes = np.array([[10.0, 20, 74, 42]])  # 64 x 22 pixels: 11 rows of 32, below 10 of grey
    placed = place_resized(np.zeros((1, SIZE, SIZE, 3), np.uint8), boxes, "letterbox")
    assert placed.holds.tolist() == [0, 10, 32, 21]
    np.testing.assert_allclose(placed.squares_in_frame, [[10, 0, 74, 64]])
    spec = ClipSpec(fit="letterbox")
    view = view_of(22, 64, "", "mouth", spec, SIZE).numpy()
    native = place_native(np.zeros((1, 22, 64, 3), np.uint8), boxes, view)
    np.testing.assert_allclose(native.squares_in_frame, placed.squares_in_frame)


def test_values_are_drawn_where_the_square_lies():
    values = np.array([[0.0, 1.0], [2.0, 3.0]])
    found = drawn(values, np.array([2.0, 0.0, 6.0, 4.0]), 6, 8)
    assert (found[:, [0, 1, 6, 7]] == 0).all() and (found[4:] == 0).all()
    # Pixels' middles are at odd eighths of a side, places' at odd quarters.
    step = np.array([0, 0.25, 0.75, 1])
    np.testing.assert_allclose(found[:4, 2:6], 2 * step[:, None] + step)
