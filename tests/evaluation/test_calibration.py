from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.balanced_logistic import affine_log_ratio, penalised_log_likelihood
from deepfake_tfdata.evaluation.calibration import (
    CALIBRATION_FILE,
    Calibration,
    DetectorCalibration,
    ReferenceScores,
    combine,
    fit_calibration,
    read_calibration,
    video_logit,
    write_calibration,
)
from deepfake_tfdata.evaluation.evidence_bounds import evidence_bounds

# Few distinct scores, so that ties are common; a video is of one of six components.
videos = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([-3.0, -1.0, 0.0, 0.5, 4.0]), st.integers(0, 5)),
    min_size=2,
    max_size=30,
).filter(lambda rows: {label for label, *_ in rows} == {0, 1})


def reference_of(labels, logits, components=None):
    labels = np.asarray(labels)
    components = np.arange(len(labels)) if components is None else np.asarray(components)
    keys = np.array([f"v{number}" for number in range(len(labels))])
    return ReferenceScores(keys, labels, components.astype(str), np.asarray(logits, np.float64))


def pairs(real, fake):
    """Reference scores of pairs of a real video and its fake."""
    count = len(real)
    return reference_of(np.repeat([0, 1], count), np.concatenate([real, fake]), np.tile(range(count), 2))


def test_the_fitted_ratio_is_that_of_two_normal_distributions():
    # Of N(-1, 1) and N(1, 1) the log ratio is twice the score.
    random = np.random.default_rng(0)
    calibration = fit_calibration(pairs(random.normal(-1, 1, 5000), random.normal(1, 1, 5000)))
    assert calibration.slope == pytest.approx(2, rel=0.05)
    assert calibration.intercept == pytest.approx(0, abs=0.05)
    at = calibration.log10_likelihood_ratio(np.array([-0.5, 0.0, 0.5]))
    assert at == pytest.approx(np.array([-1, 0, 1]) / np.log(10), abs=0.05)


@pytest.mark.parametrize("count", [10, 35])
def test_what_all_of_a_class_share_is_worth_2n_plus_1_and_called_n(count):
    # By hand: Jeffreys' prior adds half a video to each cell, (n + 1/2) / (1/2).
    calibration = fit_calibration(pairs(np.full(count, -5.0), np.full(count, 7.0)))
    ratios = np.exp(calibration.unbounded(np.array([-5.0, 7.0])))
    assert ratios == pytest.approx([1 / (2 * count + 1), 2 * count + 1], rel=1e-4)
    assert [calibration.low, calibration.high] == pytest.approx([-np.log10(count), np.log10(count)])
    assert calibration.log10_likelihood_ratio(np.array([-99.0, 99.0])) == pytest.approx(
        [-np.log10(count), np.log10(count)]
    )


@settings(max_examples=40, deadline=None)
@given(videos, st.floats(0.1, 10), st.floats(-5, 5))
@example([(0, -3.0, 0), (1, -1.0, 0), (1, 0.5, 0)], 1.0, 0.0)  # steps that are too long bring hardly anything
def test_the_fit_is_the_penalised_maximum_and_no_scale_moves_it(rows, scale, shift):
    labels, logits, components = map(np.array, zip(*rows, strict=True))
    reference = reference_of(labels, logits, components)
    weights = reference.weights
    slope, intercept = affine_log_ratio(logits, labels, weights)
    scaled = affine_log_ratio(scale * logits + shift, labels, weights)
    assert scaled[0] * (scale * logits + shift) + scaled[1] == pytest.approx(
        slope * logits + intercept, abs=1e-3
    )
    if len(set(logits)) == 1:
        assert (slope, intercept) == (0, 0)
        return
    worth = [weights[labels == label].sum() for label in (0, 1)]
    balanced = weights * np.where(labels == 1, min(worth) / worth[1], min(worth) / worth[0])
    points = np.stack([np.ones(len(labels)), logits])

    def loss(found):
        return -penalised_log_likelihood(found, points, labels, balanced)

    best = minimize(loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10})
    if slope > 0:
        assert loss([intercept, slope]) <= best.fun + 1e-7
    else:  # it would turn the scores around, or says nothing
        assert best.x[1] <= 1e-3
        assert intercept == 0


def test_scores_that_point_the_wrong_way_are_no_evidence():
    random = np.random.default_rng(1)
    calibration = fit_calibration(pairs(random.normal(1, 1, 20), random.normal(-1, 1, 20)))
    assert calibration.log10_likelihood_ratio(np.array([-9.0, 0.0, 9.0])).tolist() == [0, 0, 0]


def brute_force_bound(ratios, labels, weights):
    """Walks the thresholds up from one, in steps of a thousandth of a decade."""
    for exponent in np.arange(0, 4, 0.001):
        threshold = 10**exponent
        missed = (weights[(labels == 1) & (ratios < exponent)].sum() + 1) / (weights[labels == 1].sum() + 1)
        alarms = (weights[(labels == 0) & (ratios >= exponent)].sum() + 1) / (weights[labels == 0].sum() + 1)
        if missed + threshold * alarms > 1 + 1e-9:
            return exponent
    return 4.0


@settings(max_examples=40, deadline=None)
@given(videos)
def test_the_bounds_are_where_the_normalised_bayes_error_first_exceeds_one(rows):
    labels, ratios, components = map(np.array, zip(*rows, strict=True))
    ratios = ratios / 2 + 0.2343
    weights = reference_of(labels, ratios, components).weights
    low, high = evidence_bounds(ratios, labels, weights)
    assert low <= 0 <= high
    assert high == pytest.approx(brute_force_bound(ratios, labels, weights), abs=0.0011)
    assert low == pytest.approx(-brute_force_bound(-ratios, 1 - labels, weights), abs=0.0011)


@settings(max_examples=40, deadline=None)
@given(videos, st.sampled_from([-9.0, -3.0, 0.0, 0.2, 4.0, 9.0]))
def test_p_values_by_their_definition(rows, score):
    labels, logits, components = map(np.array, zip(*rows, strict=True))
    calibration = fit_calibration(reference_of(labels, logits, components))
    found = calibration.p_values(np.array([score]))
    for label, p in enumerate(found):
        of_class = {c: logits[(components == c) & (labels == label)] for c in set(components.tolist())}
        shares = [
            np.mean(scores >= score if label == 0 else scores <= score)
            for scores in of_class.values()
            if len(scores)
        ]
        assert p[0] == pytest.approx((1 + sum(shares)) / (len(shares) + 1))
    assert found[0][0] >= calibration.smallest_p() - 1e-12


@pytest.mark.parametrize("sizes", [(1, 1), (6, 6), (1, 12)], ids=["single", "equal", "uneven"])
def test_a_real_video_of_a_new_component_seldom_has_a_small_p(sizes):
    # Videos of a component are nearly the same; some components have many, and those score lower.
    random = np.random.default_rng(2)
    trials, levels = 1000, np.array([0.05, 0.1, 0.3, 0.5])
    found = []
    for _ in range(trials):
        counts = random.integers(sizes[0], sizes[1] + 1, 21)
        centres = random.normal(-0.5 * counts, 1)
        components = np.repeat(range(21), counts)
        logits = centres[components] + random.normal(0, 0.3, len(components))
        new = random.choice(np.flatnonzero(components == 20))  # one video of the last component
        kept = components < 20
        reference = reference_of(
            np.append(np.zeros(kept.sum(), int), 1),
            np.append(logits[kept], 9.0),
            np.append(components[kept], 99),
        )
        found.append(Calibration(reference, 1, 0, 0, 0).p_values(logits[[new]])[0][0])
    exceeding = np.mean(np.array(found)[:, None] <= levels, axis=0)
    assert np.all(exceeding <= levels + 2.6 * np.sqrt(levels * (1 - levels) / trials)), exceeding


def test_a_missing_class_is_said():
    with pytest.raises(UserError, match="no fake video was set aside"):
        fit_calibration(reference_of([0, 0], [1.0, 2.0]))


def test_several_detectors_combine_to_the_mean_of_their_calibrated_log_odds():
    random = np.random.default_rng(3)
    sharp = pairs(random.normal(-3, 1, 30), random.normal(3, 1, 30))
    blind = pairs(random.normal(1, 1, 30), random.normal(-1, 1, 30))  # the wrong way: it says nothing
    turned = ReferenceScores(*(getattr(blind, name)[::-1] for name in vars(blind)))
    combined = combine([sharp, turned])
    by_key = dict(zip(sharp.video_keys, fit_calibration(sharp).unbounded(sharp.logits) / 2, strict=True))
    assert combined.logits == pytest.approx([by_key[key] for key in combined.video_keys])
    # A detector alone stays what it is.
    alone = fit_calibration(combine([sharp]))
    single = fit_calibration(sharp)
    score = np.array([0.3])
    assert alone.log10_likelihood_ratio(single.unbounded(score)) == pytest.approx(
        single.log10_likelihood_ratio(score), abs=1e-4
    )
    with pytest.raises(UserError, match="different videos"):
        combine([sharp, replace(blind, video_keys=np.roll(blind.video_keys, 1))])


def test_a_videos_log_odds_stay_finite():
    assert video_logit(np.array([0.5, 0.9])) == pytest.approx(np.log(0.7 / 0.3))
    assert -28 < video_logit(np.zeros(2)) < video_logit(np.ones(1)) < 28


def test_a_calibration_survives_its_file(tmp_path):
    with pytest.raises(UserError, match=r"deepfake_tfdata\.evaluate"):
        read_calibration(tmp_path)
    reference = pairs([-1.0, 0.1], [1 / 3, 2.0])
    written = DetectorCalibration(reference, {"coverage": (0.5, 1.0)}, "ab" * 32, "1b2c", ("Deepfakes",))
    write_calibration(tmp_path, written)
    read = read_calibration(tmp_path)
    for name in vars(reference):
        assert getattr(read.reference, name).tolist() == getattr(reference, name).tolist()
    assert replace(read, reference=reference) == replace(written, reference=reference)
    (tmp_path / CALIBRATION_FILE).write_text('{"reference": {}}')
    with pytest.raises(UserError, match="damaged"):
        read_calibration(tmp_path)
