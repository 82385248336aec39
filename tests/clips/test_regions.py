"""Where regions are in a face."""

import numpy as np
import pytest

from deepfake_tfdata.clips.regions import DEFAULT_REGIONS, REGIONS, Region, region_named
from deepfake_tfdata.errors import UserError


def test_a_region_is_placed_by_its_shares_of_each_face():
    region = Region("some", 0.25, 0.5, 0.75, 1.25)
    faces = np.array([[100.0, 200.0, 180.0, 240.0], [-8.0, 0.0, 0.0, 4.0]])
    np.testing.assert_array_equal(region.boxes(faces), [[120, 220, 160, 250], [-6, 2, -2, 5]])
    assert region.area == 0.5 * 0.75


def test_eyes_and_mouth_are_the_outer_35_percent_of_the_whole():
    faces = np.array([[100.0, 200.0, 200.0, 300.0]])
    np.testing.assert_allclose(REGIONS["full"].boxes(faces), faces)
    np.testing.assert_allclose(REGIONS["eyes"].boxes(faces), [[100, 200, 200, 235]])
    np.testing.assert_allclose(REGIONS["mouth"].boxes(faces), [[100, 265, 200, 300]])
    assert set(DEFAULT_REGIONS) == {"full", "eyes", "mouth"}


def test_control_strips_have_the_area_of_the_mouth_and_lie_between_and_above():
    eyes, mouth, nose, forehead = (REGIONS[name] for name in ("eyes", "mouth", "nose", "forehead"))
    for strip in (nose, forehead):
        assert strip.area == pytest.approx(mouth.area)
        assert (strip.left, strip.right) == (0, 1)
    assert eyes.bottom - nose.top == pytest.approx(nose.bottom - mouth.top)
    assert (forehead.top, forehead.bottom) == (-0.15, 0.2)


def test_squares_are_square_and_the_cheek_lies_between_the_strips():
    squares = {name: region for name, region in REGIONS.items() if name.endswith("_square")}
    assert set(squares) == {"eyes_square", "mouth_square", "cheek_square"}
    for region in squares.values():
        assert region.right - region.left == pytest.approx(region.bottom - region.top)
    eyes, mouth, cheek = (squares[f"{name}_square"] for name in ("eyes", "mouth", "cheek"))
    assert (cheek.left, cheek.top, cheek.bottom) == (0, REGIONS["eyes"].bottom, REGIONS["mouth"].top)
    assert eyes.bottom == REGIONS["mouth"].top
    for centred in (eyes, mouth):
        assert centred.left == pytest.approx(1 - centred.right)
    assert eyes.area > mouth.area > REGIONS["mouth"].area


def test_an_unknown_region_is_named_with_the_known_ones():
    assert region_named("mouth") is REGIONS["mouth"]
    with pytest.raises(UserError, match="unknown region 'ears'; choose from full, eyes, mouth, nose"):
        region_named("ears")
