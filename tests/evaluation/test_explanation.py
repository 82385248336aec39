"""Places chosen and moved, points in boxes, ranks, and the figures that come of them."""

import numpy as np
import pytest

from deepfake_tfdata.evaluation.clustered_mean import clustered_mean
from deepfake_tfdata.evaluation.explanation import (
    AREAS,
    Findings,
    is_inside,
    mean_of_others,
    most_important,
    moved,
    peak,
    share_inside,
    spearman,
)
from deepfake_tfdata.evaluation.explanation_figures import BASELINES, METHODS, curves_of, figures_of
from deepfake_tfdata.evaluation.explanation_texts import headline


@pytest.fixture
def random():
    return np.random.default_rng(0)


def test_the_most_important_places_are_the_same_number_in_every_frame_over_all_regions(random):
    values = random.normal(size=(2, 3, 5, 4))
    chosen = most_important(values, 0.25)
    assert chosen.sum(axis=(0, 2, 3)).tolist() == [10, 10, 10]
    for frame in range(3):
        assert values[:, frame][chosen[:, frame]].min() > values[:, frame][~chosen[:, frame]].max()


def test_a_moved_shape_keeps_its_area_and_moves_alike_in_all_frames(random):
    places = np.zeros((1, 2, 6, 8), bool)
    places[0, :, 1:3, 2:5] = True
    elsewhere = [moved(places, random) for _ in range(40)]
    assert all(each.sum() == places.sum() and (each[0, 0] == each[0, 1]).all() for each in elsewhere)
    assert np.mean(elsewhere, axis=0).min() > 0  # it gets everywhere


def test_a_clip_is_not_in_its_own_mean():
    maps = np.array([[0.0], [2.0], [10.0]])
    assert mean_of_others(maps, np.array(["a", "a", "b"])).ravel().tolist() == [10, 10, 1]
    assert mean_of_others(maps, np.array(["a", "a", "a"])).ravel().tolist() == [4, 4, 4]


def test_a_peak_is_in_the_middle_of_its_place():
    values = np.zeros((2, 2, 2, 4))
    values[0, 0, 1, 0] = values[1, 1, 0, 3] = 1
    region, point = peak(values)
    assert region.tolist() == [0, 1]
    assert point.tolist() == [[0.125, 0.75], [0.875, 0.25]]


def test_points_and_shares_in_boxes():
    boxes = np.array([[10.0, 20, 30, 40], [10, 20, 30, 40]])
    assert is_inside(np.array([[10.0, 40], [31, 30]]), boxes).tolist() == [True, False]
    squares = np.array([[0.0, 0, 40, 80], [30, 40, 50, 60]])
    assert share_inside(squares, boxes).tolist() == [0.125, 0]


def test_ranks_are_compared_with_ties_sharing_their_mean():
    assert spearman(np.array([1, 2, 3]), np.array([10, 20, 90])) == pytest.approx(1)
    # By hand: ranks 1.5 1.5 3 4 and 1 2 3 4; covariance 4.5, squares 4.5 and 5.
    assert spearman(np.array([0, 0, 5, 6]), np.array([1, 2, 3, 4])) == pytest.approx(4.5 / 22.5**0.5)
    assert np.isnan(spearman(np.ones(3), np.arange(3)))


def test_clips_of_one_unit_count_as_dependent():
    values, units = np.array([1.0, 1, 3, 3]), np.array(["a", "a", "b", "b"])
    assert clustered_mean(values, np.array(list("abcd"))).low > clustered_mean(values, units).low
    # Two units: their means are 1 and 3, the standard error 1, t of one degree of freedom 12.7.
    assert clustered_mean(values, units)[:3] == pytest.approx((2, 2 - 12.706, 2 + 12.706), abs=1e-3)
    assert clustered_mean(values, np.array(["a"] * 4)) == (2, None, None, 4, 1)
    assert clustered_mean(np.array([np.nan]), np.array(["a"])).value is None
    hits = clustered_mean(np.ones(4), np.array(list("abcd")), 0, 1)
    assert hits.value == hits.high == 1 and 0.4 < hits.low < 0.6  # Wilson's of 4 of 4


def findings(random, gain, count=12, **more):
    def falls(mean):
        return mean * np.array(AREAS) + 0.01 * random.normal(size=(count, len(AREAS)))

    others = {name: falls(1.0) for name in BASELINES if name != "chance"}
    return Findings(
        **{
            "units": np.array([f"{n // 2}" for n in range(count)]),
            "logit": random.normal(size=count),
            "all_pasted": 3 * gain + random.normal(size=count),
            "falls": {**{name: falls(1.0 + gain) for name in METHODS}, **others},
            "chance": {name: falls(1.0) for name in METHODS},
            "randomised": 0.1 * random.normal(size=count),
            "pointing": {},
            "correlations": {},
            **more,
        }
    )


def test_a_map_that_finds_more_is_told_from_one_that_does_not(random):
    good = figures_of(findings(random, 2.0))
    blind = figures_of(findings(random, 0.0, all_pasted=5 + random.normal(size=12)))
    for found in (good, blind):
        assert found["all_pasted"]["verdict"] == "the detector tells these fakes from their originals: yes"
    for name in ("class_activation_paste", "occlusion_paste"):
        assert all(each["verdict"].endswith(": yes") for each in good[name]["baselines"].values())
        assert good[name]["verdict"].endswith("finds more than chance: yes")
        assert blind[name]["verdict"].endswith("finds more than chance: not distinguishable")
        assert (good[name]["num_clips"], good[name]["num_components"]) == (12, 6)
        assert good[name]["value"] == pytest.approx(0.3, abs=0.02)
        assert good[name]["baselines"]["chance"]["value"] == pytest.approx(0.1, abs=0.02)
    assert [each["area"] for each in curves_of(findings(random, 1.0))["centre"]] == list(AREAS)


@pytest.mark.parametrize("fall", [0.0, -5.0])
def test_no_map_finds_anything_for_a_detector_that_tells_no_fake_from_its_original(random, fall):
    # By its numbers the map finds more than chance does, be it little.
    none = figures_of(findings(random, 2.0, all_pasted=fall + random.normal(size=12)))
    assert none["all_pasted"]["verdict"].endswith("; then there is nothing to find")
    assert headline({"figures": none}).startswith("The detector tells these fakes from their originals: no")
    for name in ("class_activation_paste", "occlusion_paste"):
        for each in none[name]["baselines"].values():
            assert each["low"] > 0 and each["verdict"].endswith(": there is nothing to find")


def test_of_one_person_nothing_can_be_said(random):
    one = figures_of(findings(random, 2.0, units=np.array(["0"] * 12)))
    for name in ("all_pasted", "class_activation_paste"):
        assert one[name]["verdict"].endswith(": can't be said of fewer than two independent people")
    assert headline({"figures": one}).startswith("The class-activation map finds more than chance: can't be")


@pytest.mark.parametrize(("mean", "answer"), [(0.1, "yes"), (0.5, "not clear"), (0.9, "no")])
def test_a_map_must_change_with_the_weights(random, mean, answer):
    found = figures_of(findings(random, 1.0, randomised=mean + 0.05 * random.normal(size=12)))
    assert found["random_weights_correlation"]["verdict"].endswith(f"learned: {answer}")


def test_pointing_and_correlations_are_told_where_there_are_any(random):
    hits = {**{name: np.ones(12) for name in METHODS}, "chance": np.full(12, 0.15), "centre": np.zeros(12)}
    correlations = {
        "attention_strength": np.r_[np.nan, np.full(11, 0.4)],
        "attention_replacement": random.normal(-0.5, 0.1, 12),
    }
    found = figures_of(findings(random, 1.0, pointing=hits, correlations=correlations))
    assert found["occlusion_pointing"]["verdict"].endswith("points at the mark more than chance: yes")
    assert set(found["occlusion_pointing"]["baselines"]) == {"chance", "centre"}
    assert found["attention_strength"]["num_clips"] == 11
    assert found["attention_strength"]["verdict"].endswith("planted strength go together: yes")
    assert found["attention_replacement"]["verdict"].endswith("no, they go against each other")
