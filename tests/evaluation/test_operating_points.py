import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score, roc_curve

from deepfake_tfdata.evaluation.clusters import separate_clusters
from deepfake_tfdata.evaluation.intervals import wilson_interval
from deepfake_tfdata.evaluation.operating_points import (
    balanced_accuracy,
    balanced_accuracy_interval,
    fewest_real,
    mean_of_shares_interval,
    tpr_at_fpr,
    tpr_at_fpr_interval,
)

# Few distinct scores, so that ties are common.
videos = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.integers(0, 3)),
    min_size=2,
    max_size=30,
)
rates = st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0])


def both_classes(rows):
    return len({label for label, _, _ in rows}) == 2


@pytest.mark.filterwarnings("error::RuntimeWarning")
@given(videos)
def test_balanced_accuracy_is_scikit_learns_of_repeated_videos(rows):
    labels, scores, weights = map(np.array, zip(*rows, strict=True))
    called_fake = scores >= 0.5
    actual = balanced_accuracy(called_fake == (labels == 1), labels, weights)
    repeated = np.repeat(labels, weights)
    if len(set(repeated)) < 2:
        assert np.isnan(actual)
    else:
        assert actual == pytest.approx(balanced_accuracy_score(repeated, np.repeat(called_fake, weights)))


@pytest.mark.filterwarnings("error::RuntimeWarning")
@given(videos, rates)
def test_tpr_at_fpr_is_on_scikit_learns_curve_of_repeated_videos(rows, rate):
    labels, scores, weights = map(np.array, zip(*rows, strict=True))
    actual = tpr_at_fpr(labels, scores, weights, rate)
    repeated = np.repeat(labels, weights)
    if len(set(repeated)) < 2:
        assert np.isnan(actual)
        return
    fpr, tpr, _ = roc_curve(repeated, np.repeat(scores, weights), drop_intermediate=False)
    assert actual == pytest.approx(tpr[fpr <= rate + 1e-12].max())


@pytest.mark.parametrize(("rate", "count"), [(0.01, 700), (0.05, 140), (0.07, 100), (0.29, 100)])
def test_a_rate_that_binary_numbers_miss_allows_its_whole_number(rate, count):
    # Above each of the first rate * count real videos lies a fake, and no other fake.
    allowed = round(rate * count)
    labels = np.array([0, 1] * (allowed + 1) + [0] * (count - allowed - 1))
    scores = -np.arange(len(labels), dtype=float)
    found = tpr_at_fpr(labels, scores, np.ones(len(labels)), rate)
    assert found == pytest.approx(allowed / (allowed + 1))


def test_tpr_at_fpr_of_many_resamples_at_once():
    random = np.random.default_rng(0)
    labels, scores, weights = random.integers(0, 2, 9), random.random(9), random.integers(0, 3, (4, 5, 9))
    batched = tpr_at_fpr(labels, scores, weights, 0.3)
    assert batched.shape == (4, 5)
    assert batched[2, 3] == pytest.approx(tpr_at_fpr(labels, scores, weights[2, 3], 0.3), nan_ok=True)


@pytest.mark.parametrize(("rate", "count"), [(0.01, 100), (0.05, 20), (0.03, 34), (1, 1)])
def test_a_rate_is_measurable_from_where_one_false_alarm_is_within_it(rate, count):
    assert fewest_real(rate) == count
    assert 1 / count <= rate + 1e-12 and (count == 1 or 1 / (count - 1) > rate)


@settings(max_examples=20)
@given(videos.filter(both_classes))
def test_intervals_hold_their_estimates(rows):
    labels, scores, clusters = map(np.array, zip(*rows, strict=True))
    correct, ones = (scores >= 0.5) == (labels == 1), np.ones(len(labels))
    low, high = balanced_accuracy_interval(correct, labels, separate_clusters(clusters), resamples=50)
    assert 0 <= low <= balanced_accuracy(correct, labels, ones) <= high <= 1
    low, high = tpr_at_fpr_interval(labels, scores, separate_clusters(clusters), 0.2, resamples=50)
    assert 0 <= low <= tpr_at_fpr(labels, scores, ones, 0.2) <= high <= 1


@pytest.mark.parametrize("count", [1, 3, 140])
def test_a_perfect_score_is_not_certain(count):
    labels, clusters = np.repeat([0, 1], count), np.tile(np.arange(count), 2)
    low, high = balanced_accuracy_interval(np.ones(2 * count, bool), labels, separate_clusters(clusters))
    assert low < 1 == high
    low, high = tpr_at_fpr_interval(labels, labels.astype(float), separate_clusters(clusters), 0.05)
    assert (low, high) == wilson_interval(1, count)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_each_class_has_its_own_share_and_number_of_sources(level):
    # All of 20 real videos are right, of five sources, and none of 80 fakes, of eight: no resample differs.
    labels, clusters = np.repeat([0, 1], [20, 80]), np.repeat([*range(5), *range(8)], [4] * 5 + [10] * 8)
    real, fake = (binomtest(*count).proportion_ci(level, method="wilson") for count in ((5, 5), (0, 8)))
    interval = balanced_accuracy_interval(labels == 0, labels, separate_clusters(clusters), level=level)
    assert interval == pytest.approx((0.5 - (1 - real.low) / 2, 0.5 + fake.high / 2))
    interval = tpr_at_fpr_interval(labels, -labels, separate_clusters(clusters), 0.05, level=level)
    assert interval == pytest.approx((0, fake.high))


def test_mean_of_shares_is_newcombes_interval_of_a_difference():
    # The mean of p and q is half of 1 + p - (1 - q). For 56/70 and 48/80 Newcombe (1998), table II (a), has
    # .0524 to .3339 by his method 10.
    low, high = mean_of_shares_interval([56 / 70, 1 - 48 / 80], (70, 80))
    assert (2 * low - 1, 2 * high - 1) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def imbalanced(random, separation=1.0):
    """60 sources with one real video and four fakes each."""
    labels = np.repeat([0, 1, 1, 1, 1], 60)
    return labels, random.normal(size=300) + separation * labels, np.tile(np.arange(60), 5)


def test_balanced_accuracy_intervals_cover_chance_as_often_as_they_say():
    random, covered = np.random.default_rng(1), []
    for _ in range(100):
        labels, scores, clusters = imbalanced(random, separation=0)
        correct = (scores >= -0.3) == (labels == 1)
        covered.append(
            balanced_accuracy_interval(correct, labels, separate_clusters(clusters), resamples=200).covers(
                0.5
            )
        )
    assert np.mean(covered) >= 0.9


def test_clusters_that_err_together_widen_the_intervals():
    random = np.random.default_rng(3)
    clusters = np.repeat(np.arange(24), 10)
    labels = np.repeat(np.arange(24) % 2, 10)  # a source is all real or all fake
    scores = np.repeat(random.normal(size=24), 10) + 0.1 * random.normal(size=240) + labels
    correct = (scores >= 0.5) == (labels == 1)
    for interval in (
        lambda groups: balanced_accuracy_interval(correct, labels, groups),
        lambda groups: tpr_at_fpr_interval(labels, scores, groups, 0.2),
    ):
        clustered, naive = (interval(separate_clusters(groups)) for groups in (clusters, np.arange(240)))
        assert clustered.high - clustered.low > 1.5 * (naive.high - naive.low)


def test_same_seed_same_interval_and_a_level_narrows_it():
    data = imbalanced(np.random.default_rng(0))
    labels, scores, clusters = data
    correct = (scores >= 0.5) == (labels == 1)
    for interval in (
        lambda **how: balanced_accuracy_interval(correct, labels, separate_clusters(clusters), **how),
        lambda **how: tpr_at_fpr_interval(labels, scores, separate_clusters(clusters), 0.05, **how),
    ):
        assert interval(seed=3) == interval(seed=3)
        wide, narrow = interval(), interval(level=0.5)
        assert wide.low < narrow.low < narrow.high < wide.high
