"""What predicts the label is told from what only happens to differ, with few videos and with many."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from deepfake_tfdata.audits.finding import verdict
from deepfake_tfdata.audits.logistic import log_odds
from deepfake_tfdata.audits.nuisances import (
    TOGETHER,
    can_test,
    encode,
    measure_nuisances,
    permute_within_units,
)
from deepfake_tfdata.audits.shortcuts import Measured, find_shortcuts
from deepfake_tfdata.clips.video import Video


def pairs(number, methods=1):
    """Labels and units: two originals and two fakes a method in each."""
    labels = np.tile([0, 0, *[1, 1] * methods], number)
    return labels, np.repeat(np.arange(number), 2 + 2 * methods)


def shared(random, units, share=0.7):
    """Values that the videos of a unit have in common in part."""
    own, common = random.normal(size=len(units)), random.normal(size=units.max() + 1)[units]
    return share**0.5 * common + (1 - share) ** 0.5 * own


def test_the_regression_is_scikit_learns():
    random = np.random.default_rng(0)
    columns, others = random.normal(size=(60, 3)), random.normal(size=(20, 3))
    labels = (random.random((4, 60)) < [[0.5], [0.2], [0.8], [0.5]]).astype(int)
    labels[3] = columns[:, 0] > 0
    for own, found in zip(labels, log_odds(columns, labels, others), strict=True):
        model = LogisticRegression(class_weight="balanced", tol=1e-9).fit(columns, own)
        np.testing.assert_allclose(found, model.decision_function(others), rtol=1e-3, atol=1e-4)


def test_labels_of_one_class_only_do_no_harm():
    scores = log_odds(np.linspace(0, 1, 10)[:, None], np.zeros((1, 10)), np.zeros((2, 1)))
    assert np.isfinite(scores).all()


def test_twenty_clean_data_sets_raise_nothing():
    """Of 8 to 46 videos; those of a pair are alike, as they are when they show one scene."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        labels, units = pairs(7 + seed, methods=1 + seed % 2)
        values = {f"nuisance {index}": shared(random, units).round(index).tolist() for index in range(4)}
        values["encoder"] = random.choice(["a", "b"], len(units)).tolist()
        measured = [
            Measured(
                Video("", str(index), int(label), "Face2Face" if label else "original", str(unit)),
                str(unit),
                {name: column[index] for name, column in values.items()},
                {"bytes": float(random.random())},
            )
            for index, (label, unit) in enumerate(zip(labels, units, strict=True))
        ]
        findings = find_shortcuts(measured)
        assert verdict(findings) == "clean", (seed, [finding.what for finding in findings])
        assert len(findings) == 2


@pytest.mark.parametrize("number", [7, 40])
def test_what_differs_clearly_is_a_shortcut(number):
    labels, units = pairs(number)
    random = np.random.default_rng(number)
    values = {
        "shifted": (shared(random, units) + 5 * labels).tolist(),
        "in the middle": np.where(labels, 0.0, random.choice([-1, 1], len(units))).tolist(),
        "unknown": [None if label else 1.0 for label in labels],
        "text": ["Lavf" if label else "x264" for label in labels],
        "the same": [25.0] * len(labels),
        "noise": random.normal(size=len(units)).tolist(),
    }
    found = {test.name: test for test in measure_nuisances(labels, units, values)}
    shortcuts = {name for name, test in found.items() if test.is_shortcut}
    assert shortcuts == {"shifted", "in the middle", "unknown", "text"}
    assert "the same" not in found and TOGETHER not in found
    assert found["text"].typical == ["x264", "Lavf"] and found["unknown"].typical == [1.0, None]
    assert found["shifted"].p == 1 / 1000 and found["noise"].p is None


def test_what_only_several_nuisances_tell_together_is_found():
    labels, units = pairs(60)
    random = np.random.default_rng(0)
    first = random.normal(size=len(units)) * 3
    values = {
        "one": first.tolist(),
        "other": (first + random.normal(size=len(units)) + 1.5 * labels).tolist(),
    }
    found = {test.name: test for test in measure_nuisances(labels, units, values)}
    assert [name for name, test in found.items() if test.is_shortcut] == [TOGETHER]


def test_a_difference_that_many_videos_make_significant_is_no_shortcut():
    labels, units = pairs(300)
    values = shared(np.random.default_rng(0), units, share=0) + 0.25 * labels
    (test,) = measure_nuisances(labels, units, {"a little": values.tolist()})
    assert 0.5 < test.low < test.auc < 0.62
    assert not test.is_shortcut


def test_what_differs_between_pairs_only_is_no_shortcut():
    """A scene tells which pair a video is of, and nothing of its label."""
    labels, units = pairs(40)
    (test,) = measure_nuisances(labels, units, {"scene": units.astype(float).tolist()})
    assert not test.is_shortcut


def test_permuted_labels_keep_what_units_have():
    labels, units = pairs(10)
    units[:12] = np.arange(100, 112)  # units of one class each
    permuted = permute_within_units(labels, units, np.random.default_rng(1))
    assert (permuted != labels).any()
    assert permuted[:12].sum() == labels[:12].sum()
    for unit in set(units[12:]):
        assert permuted[units == unit].sum() == labels[units == unit].sum()


def test_a_shortcut_of_one_method_is_named():
    labels, units = pairs(12, methods=3)
    random = np.random.default_rng(0)
    methods = np.tile(["original", "original", "A", "A", "B", "B", "C", "C"], 12)
    sizes = random.normal(size=len(labels)) + 6 * (methods == "B")
    measured = [
        Measured(
            Video("", str(i), int(labels[i]), str(methods[i]), "t"),
            str(units[i]),
            {"face pixels": sizes[i]},
            {},
        )
        for i in range(len(labels))
    ]
    fails = [finding for finding in find_shortcuts(measured) if finding.severity == "fail"]
    assert any("tells real from fake of B" in finding.what for finding in fails)
    assert not any({"A", "C"} & set(finding.evidence["tests"]) for finding in fails)


def test_of_two_long_texts_the_difference_is_shown():
    labels, units = pairs(8)
    settings = [f"cabac=1 subme={7 if label else 2} trellis=1" for label in labels]
    measured = [
        Measured(
            Video("", str(i), int(labels[i]), "m", "t"), str(units[i]), {}, {"encoder settings": settings[i]}
        )
        for i in range(len(labels))
    ]
    (finding,) = [finding for finding in find_shortcuts(measured) if finding.severity == "warn"]
    assert finding.what.endswith("typical: m/0 has 'subme=2', m/2 has 'subme=7'")


def test_too_few_are_not_tested():
    labels, units = pairs(6)
    assert not can_test(labels, units)
    (finding,) = find_shortcuts(
        [
            Measured(Video("", str(i), int(labels[i]), "m", "t"), str(units[i]), {"a": 1.0 * labels[i]}, {})
            for i in range(len(labels))
        ]
    )
    assert finding.check == "too_few_to_test" and finding.severity == "info"


def test_numbers_become_ranks():
    columns = encode([1.0, 1e9, 2.0, None])
    assert np.abs(columns).max() <= 1
    assert encode([3.0, 3.0, 3.0]).shape == (3, 0)
