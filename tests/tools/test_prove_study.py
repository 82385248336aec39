import pytest

from tools.prove_study import dose_failures, null_failures, predicted_auc


def stripes(period, orientation="horizontal"):
    return {"period": period, "orientation": orientation, "strength": 20.0}


@pytest.mark.parametrize(
    ("view", "fakes", "expected"),
    [
        # A whole face of 64 pixels keeps all, one of 128 half of them: 2.8 pixels a period become 1.4.
        ("whole", [(stripes(2.8), 64), (stripes(2.8), 128)], (0.75, 0.75)),
        ("mouth_reduced", [(stripes(2.8), 64), (stripes(2.8), 128)], (0.75, 0.75)),
        # Its mouth is .7 of the face: 90 pixels become 64.
        ("mouth", [(stripes(4), 64), (stripes(4, "vertical"), 128)], (1.0, 1.0)),
        ("mouth", [(stripes(2.8), 190)], (0.5, 0.5)),
        ("mouth@0.5", [(stripes(2.8), 64), (stripes(6), 64)], (0.75, 0.75)),
        # Less than half is left, and more than a grey level.
        ("whole", [(stripes(3.6), 128)], (0.5, 1.0)),
        # Along either axis it has as many pixels a period as 5.
        ("whole", [(stripes(3.6, "diagonal"), 128)], (1.0, 1.0)),
    ],
)
def test_stripes_are_seen_where_half_is_left_and_not_where_less_than_a_grey_level_is(view, fakes, expected):
    assert predicted_auc(view, fakes) == expected


def found(value, half=0.05, placebo=0.0):
    arms = [
        {"arm": "mouth_reduced", "predicted": (0.75, 0.8)},
        {"arm": "mouth", "predicted": (0.95, 1.0)},
    ]
    ends = {"first": "full.mouth/control", "second": "full.mouth_reduced/control"}
    step = {"step": "information", **ends, "value": value, "low": value - half, "high": value + half}
    dose = {"value": placebo, "low": placebo - half, "high": placebo + half}
    return {"arms": arms, "decomposition": [step], "dose": [dose]}


def test_a_study_that_finds_what_was_planted_has_no_failures():
    assert dose_failures(None) == dose_failures(found(0.14)) == dose_failures(found(0.25)) == []


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (found(0.04), "add nothing for certain"),
        (found(-0.15), "add nothing for certain"),
        (found(0.09), "and not +0.150 to +0.250"),
        (found(0.31), "and not +0.150 to +0.250"),
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
