import math

import pytest

from tools.prove_study import dose_failures, null_failures, predicted_auc


@pytest.mark.parametrize(
    ("view", "fakes", "expected"),
    [
        # A whole face of 64 pixels keeps all, one of 128 half of them: 3.6 pixels a period become 1.8.
        ("whole", [(3.6, 64), (3.6, 128)], 0.75),
        ("mouth_reduced", [(3.6, 64), (3.6, 128)], 0.75),
        # Its mouth is .7 of the face: 90 pixels become 64, and 2.6 are left.
        ("mouth", [(3.6, 64), (3.6, 128)], 1.0),
        ("mouth", [(3.6, 170)], 0.5),
        ("mouth@0.5", [(3.6, 64), (5.0, 64)], 0.75),
        ("whole", [(2.9 * math.sqrt(2), 128)], 1.0),
    ],
)
def test_stripes_are_seen_where_more_than_two_pixels_a_period_are_left(view, fakes, expected):
    assert predicted_auc(view, fakes) == expected


def found(value, half=0.05, placebo=0.0):
    arms = [{"arm": "mouth_reduced", "predicted": 0.8}, {"arm": "mouth", "predicted": 0.95}]
    step = {"step": "information", "value": value, "low": value - half, "high": value + half}
    dose = {"value": placebo, "low": placebo - half, "high": placebo + half}
    return {"arms": arms, "decomposition": [step], "dose": [dose]}


def test_a_study_that_finds_what_was_planted_has_no_failures():
    assert dose_failures(None) == dose_failures(found(0.14)) == []


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (found(0.04), "add nothing for certain"),
        (found(-0.15), "add nothing for certain"),
        (found(0.3), "and not 0.150"),
        (found(0.14, placebo=0.1), "faces no larger than the input differ"),
        (found(0.14) | {"dose": [{"value": None}]}, "or are too few"),
    ],
)
def test_what_was_not_found_is_told(result, words):
    assert any(words in failure for failure in dose_failures(result))


def test_a_claim_about_nothing_is_told():
    assert null_failures([{"verdicts": ["inconclusive", "equivalent"]}]) == []
    (failure,) = null_failures([{"verdicts": ["inconclusive"]}, {"verdicts": ["worse"]}])
    assert failure == "studies of nothing claimed worse"
