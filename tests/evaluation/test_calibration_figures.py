import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from scipy.special import logit
from scipy.stats import norm

from deepfake_tfdata.evaluation.calibration_figures import (
    calibration_error,
    cllr,
    cllr_min,
    even_posterior,
    reliability,
    risk_coverage,
    tippett,
)
from deepfake_tfdata.evaluation.calibration_report import judge_calibration, plausible_share
from deepfake_tfdata.evaluation.predictions import Predictions
from deepfake_tfdata.evaluation.texts import calibration_text
from tests.evaluation.references import calibrated_detector

videos = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([-3.0, -1.0, 0.0, 0.5, 4.0])), min_size=2, max_size=25
).filter(lambda rows: {label for label, _ in rows} == {0, 1})


def cost(labels, ratios):
    return float(cllr(np.asarray(labels), np.asarray(ratios, float), np.ones(len(labels))))


def test_cllr_of_nothing_of_perfection_and_by_hand():
    assert cost([0, 0, 1], [0, 0, 0]) == pytest.approx(1)
    assert cost([0, 1], [-50, 50]) == pytest.approx(0, abs=1e-12)
    by_hand = (np.log2(1 + 1 / 4) + (np.log2(1 + 0.5) + np.log2(1 + 2)) / 2) / 2
    assert cost([1, 0, 0], np.log([4, 0.5, 2])) == pytest.approx(by_hand)
    assert np.isnan(cost([1, 1], [0, 0]))


def test_the_true_ratio_costs_least():
    # Of N(-1, 1) and N(1, 1) it is twice the score; the integral gives the cost.
    grid = np.linspace(-9, 9, 20001)
    expected = trapezoid(norm.pdf(grid, 1) * np.log2(1 + np.exp(-2 * grid)), grid)
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 20000)
    scores = random.normal(2 * labels - 1, 1)
    assert cost(labels, 2 * scores) == pytest.approx(expected, abs=0.01)
    assert cost(labels, scores) > cost(labels, 2 * scores) < cost(labels, 3 * scores)
    assert cllr_min(labels, scores) == pytest.approx(expected, abs=0.01)


@settings(max_examples=40)
@given(videos, st.floats(0, 3), st.floats(-2, 2))
def test_no_rising_calibration_costs_less_than_the_minimum(rows, slope, intercept):
    labels, scores = map(np.array, zip(*rows, strict=True))
    lowest = cllr_min(labels, scores)
    assert 0 <= lowest <= 1 + 1e-12
    assert lowest <= cost(labels, slope * scores + intercept) + 1e-12
    assert lowest <= cost(labels, np.cbrt(scores)) + 1e-12
    # By the formula of the isotonic fit: the highest of what the lowest mean from there on can be.
    values, place = np.unique(scores, return_inverse=True)
    weights = np.where(labels == 1, 1 / np.sum(labels == 1), 1 / np.sum(labels == 0))
    fake, every = (np.bincount(place, weights * of) for of in (labels == 1, np.ones(len(labels))))
    count = range(len(values))
    fitted = np.array(
        [
            max(
                min(fake[i : k + 1].sum() / every[i : k + 1].sum() for k in count[j:]) for i in count[: j + 1]
            )
            for j in count
        ]
    )
    assert lowest == pytest.approx(cost(labels, logit(np.clip(fitted, 1e-15, 1 - 1e-15))[place]), abs=1e-9)


def test_a_minimum_by_hand_with_a_tie():
    # Fake and real share a score, one more of each is beyond doubt: ratios 0, 1 and infinity.
    assert cllr_min(np.array([0, 0, 1, 1]), np.array([0.0, 1.0, 1.0, 2.0])) == pytest.approx(0.5)


def test_tippett_counts_what_is_at_least_so_large():
    ratios, shares = tippett(np.array([0.5, -1.0, 0.5, 2.0]))
    assert ratios.tolist() == [-1, 0.5, 0.5, 2] and shares.tolist() == [1, 0.75, 0.5, 0.25]


def test_reliability_weighs_both_classes_alike():
    # Of three reals and one fake; each real is a third of its class.
    labels, said = np.array([0, 0, 0, 1]), np.array([0.1, 0.12, 0.93, 0.97])
    mean, fake, mass, count = reliability(labels, said)
    assert mean == pytest.approx([0.11, (0.93 / 3 + 0.97) / (4 / 3)])
    assert fake == pytest.approx([0, 3 / 4]) and mass == pytest.approx([1 / 3, 2 / 3])
    assert count.tolist() == [2, 2]
    assert calibration_error(labels, said) == pytest.approx(0.11 / 3 + abs(mean[1] - 0.75) * 2 / 3)


def test_calibrated_scores_have_a_small_error():
    random = np.random.default_rng(1)
    labels = np.repeat([0, 1], [12000, 4000])
    ratios = 2 * random.normal(2 * labels - 1, 1)
    assert calibration_error(labels, even_posterior(ratios)) < 0.015
    assert calibration_error(labels, even_posterior(3 * ratios)) > 0.05


def test_risk_falls_where_the_confident_are_right():
    coverage, risk = risk_coverage(np.array([1, 0, 1, 0, 1]), np.array([3.0, -3.0, -1.0, -2.0, 0.0]))
    assert coverage.tolist() == [0.4, 0.6, 0.8, 1.0]  # the first two are as confident as each other
    assert risk.tolist() == [0, 0, 0.25, 0.3]  # no evidence is half an error


def test_what_is_plausible_of_a_promise_by_simulation():
    random = np.random.default_rng(2)
    alarms = []
    for _ in range(2000):
        scores = random.random(20 + 40)
        p = (1 + np.sum(scores[:20] >= scores[20:, None], axis=1)) / 21
        alarms.append(np.mean(p <= 0.1))
    assert np.mean(alarms) == pytest.approx(2 / 21, abs=0.005)
    assert plausible_share(20, 40, 0.1) == pytest.approx(np.quantile(alarms, 0.975), abs=0.026)
    assert plausible_share(20, 40, 0.01) == 0  # no p value is so small
    assert plausible_share(20, 0, 0.1) is None


def test_a_block_has_the_shares_by_hand(make_predictions):
    predictions = make_predictions(4)
    # Reals: three low, one above all of the reference; fakes: two high, one like a real, one like neither.
    logits = np.array([-3.0, -3.0, -3.5, 0.0, 3.0, 4.5, -3.0, 0.0])
    block = judge_calibration(calibrated_detector(), with_logits(predictions, logits), resamples=50)
    at = {each["level"]: each for each in block["p_values"]}
    assert (at[0.01]["supported"], at[0.05]["supported"]) == (False, True)
    assert at[0.05]["false_alarms"] == 0.25 and at[0.05]["missed"] == 0.5
    assert at[0.05]["evidence_found"] == 0.5 and at[0.05]["abstained"] == 0.25
    assert at[0.05]["false_alarms_low"] < 0.25 < at[0.05]["false_alarms_high"]
    assert block["cllr_low"] <= block["cllr"] <= block["cllr_high"] and block["cllr_min"] <= block["cllr"]
    assert block["log10_lr_high"] == pytest.approx(-block["log10_lr_low"]) and block["smallest_p"] == 1 / 21
    assert any("(Face2Face) and does not carry over to other generators" in note for note in block["notes"])
    assert any("below 0.048; 0.01 needs 99" in note for note in block["notes"])
    assert "calibrated on 40 videos: likelihood ratios from 1/" in calibration_text(block)


def with_logits(predictions, logits):
    columns = {name: getattr(predictions, name) for name in ("clip_ids", "video_ids", "manipulations")}
    return Predictions(
        **columns, target_ids=predictions.target_ids, labels=predictions.labels, scores=even_posterior(logits)
    )


def test_real_videos_unlike_the_reference_are_told(make_predictions):
    predictions = make_predictions(20)
    shifted = with_logits(predictions, np.where(predictions.labels == 1, 4.0, 1.0))
    notes = judge_calibration(calibrated_detector(), shifted, resamples=50)["notes"]
    assert any("100.0% of the real videos have a p value of 0.05 or less" in note for note in notes)
    alike = with_logits(predictions, np.where(predictions.labels == 1, 3.0, -3.0))
    assert len(judge_calibration(calibrated_detector(), alike, resamples=50)["notes"]) == 2


def test_one_class_has_p_values_and_no_cost(make_predictions):
    reals = make_predictions(5).select(slice(0, 5))
    block = judge_calibration(calibrated_detector(), reals, resamples=50)
    assert block["cllr"] is None and block["p_values"][1]["missed"] is None
    assert block["p_values"][1]["false_alarms"] is not None
    assert "Cllr" not in calibration_text(block)


def test_a_detector_that_tells_nothing_says_so(make_predictions):
    block = judge_calibration(calibrated_detector(shift=-1.0), make_predictions(5), resamples=50)
    assert block["cllr"] == pytest.approx(1) and block["log10_lr_high"] == 0
    assert any("they say nothing" in note for note in block["notes"])
