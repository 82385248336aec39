"""Views as shares of the face: which there are, whose records hold them, and how finely they show a face."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.views import VIEWS, View, require_view, sight, view_in, view_named
from deepfake_tfdata.errors import UserError

SPEC, FULL = ClipSpec(), REGIONS["full"]


def seen(name, face=250.0, region="full", **values):
    return sight(view_named(name), REGIONS[region], face, ClipSpec(**values))


def test_the_arms_of_a_part_differ_in_one_thing_each():
    whole, mouth, reduced, only = (
        view_named(name) for name in ("whole", "mouth", "mouth_reduced", "mouth_only")
    )
    assert (whole.window, whole.picture) == (FULL, FULL)
    assert (mouth.window, mouth.picture, mouth.retention) == (only.picture, FULL, 1)
    assert (reduced.window, reduced.picture, reduced.retention) == (mouth.window, FULL, None)
    assert (only.window, only.retention) == (FULL, 1)
    assert view_named("mouth@0.35") == View(mouth.window, FULL, retention=0.35)
    assert view_named("mouth@1") == mouth


def test_the_mouths_square_and_its_control_are_of_one_size_and_apart():
    mouth, control = (view_named(name).window for name in ("mouth", "control"))
    for square in (mouth, control):
        assert square.right - square.left == pytest.approx(square.bottom - square.top)
    assert control.area == pytest.approx(mouth.area)
    assert (mouth.left, mouth.right, mouth.bottom) == (0.15, 0.85, 1.0)
    # Lids begin at 12 % of the face in nineteen of twenty frames that tools.measure_regions draws.
    assert control.bottom == 0.12


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_is_in_the_wide_records_and_those_of_the_mouth_in_the_full_ones(name):
    assert view_in("wide", name, SPEC) == (VIEWS[name], REGIONS["wide"])
    if name.startswith(("whole", "mouth", "cheek")) or name.endswith("_only"):
        assert view_in("full", name, SPEC) == (VIEWS[name], FULL)
    else:
        with pytest.raises(UserError, match=f"--view={name} looks at more of the face than --region=full"):
            view_in("full", name, SPEC)


@pytest.mark.parametrize(
    ("name", "region", "values", "message"),
    [
        ("lips", "full", {}, "--view=lips is unknown; choose from whole, mouth, .* or a retention such as"),
        ("whole@0.5", "full", {}, "--view=whole@0.5 is unknown; choose from"),
        ("mouth_only@0.5", "full", {}, "--view=mouth_only@0.5 is unknown; choose from"),
        ("mouth@0", "full", {}, "--view=mouth@0 has no retention; use more than 0 and up to 1"),
        ("mouth@1.1", "full", {}, "--view=mouth@1.1 has no retention"),
        ("mouth@nan", "full", {}, "--view=mouth@nan has no retention"),
        ("mouth@", "full", {}, "--view=mouth@ has no retention"),
        ("mouth", "mouth", {}, "than --region=mouth holds; use --region=full or wide"),
        ("background", "full", {}, "than --region=full holds; use --region=wide"),
        ("mouth", "full", {"geometry": "resized"}, "needs native records, not --geometry=resized"),
        ("mouth", "full", {"fit": "letterbox"}, "needs records of --fit=stretch"),
        ("background", "full", {"regions": (FULL,)}, "than these records can hold; convert again"),
    ],
)
def test_a_view_that_is_not_to_be_had_is_refused_in_a_line(name, region, values, message):
    with pytest.raises(UserError, match=message) as error:
        require_view(name, (region,), ClipSpec(**values))
    assert "\n" not in str(error.value)


def test_everything_is_in_all_records():
    require_view("", ("mouth", "full"), ClipSpec(geometry="resized"))


def test_what_the_arms_see_of_a_face_of_250_pixels():
    whole, only, reduced, mouth = map(seen, ("whole", "mouth_only", "mouth_reduced", "mouth"))
    assert whole.density == pytest.approx((0.896, 0.896))
    assert only.density == pytest.approx((0.896, 0.896))
    assert reduced.density == pytest.approx((0.896, 0.896))
    assert reduced.magnification == mouth.magnification == pytest.approx((1.28, 1.28))
    assert mouth.density == mouth.magnification
    assert whole.pixels == pytest.approx(224**2)
    # The mouth's pixels are the whole face's until it is shown as it is.
    assert only.pixels == pytest.approx(reduced.pixels) == pytest.approx((0.7 * 224) ** 2)
    assert mouth.pixels == pytest.approx(175**2)
    assert seen("mouth@0.35").pixels == pytest.approx((0.35 * 175) ** 2)


@given(st.floats(20, 1500), st.sampled_from([0, 112, 448]))
def test_the_native_mouth_has_more_pixels_only_of_faces_that_the_whole_loses(face, max_side):
    mouth, reduced, only = (
        seen(name, face, max_side=max_side).pixels for name in ("mouth", "mouth_reduced", "mouth_only")
    )
    assert reduced == pytest.approx(only)
    stored = min(face, max_side or face)
    gain = min(max(stored / 224, 1), 1 / 0.7)
    assert math.sqrt(mouth / reduced) == pytest.approx(gain)


def test_what_is_hidden_and_what_lies_outside_the_picture_carries_nothing():
    assert seen("background", 50.0, "wide").pixels == pytest.approx((2**2 - 1.5**2) * 50**2)
    assert seen("control_only", 100.0, "wide").pixels == pytest.approx(0.7 * 0.12 * 100**2)
