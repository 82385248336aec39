import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from deepfake_tfdata.evaluation import intervals
from deepfake_tfdata.evaluation.clusters import separate_clusters
from deepfake_tfdata.evaluation.intervals import (
    accuracy_interval,
    bootstrap,
    percentile_interval,
    weighted_auc,
    wilson_interval,
)

# Few distinct scores, so that ties are common.
videos = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.integers(0, 3)),
    min_size=2,
    max_size=30,
)


def test_auc_with_ties_by_hand():
    # Fakes 0.5 and 0.9 against reals 0.1 and 0.5: three wins and one tie of four pairs.
    labels, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.5, 0.5, 0.9])
    assert weighted_auc(labels, scores, np.ones(4)) == pytest.approx(3.5 / 4)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@given(videos)
def test_weighted_auc_is_scikit_learns_of_repeated_videos(rows):
    labels, scores, weights = map(np.array, zip(*rows, strict=True))
    repeated = np.repeat(labels, weights)
    actual = weighted_auc(labels, scores, weights)
    if len(set(repeated)) < 2:
        assert np.isnan(actual)
    else:
        assert actual == pytest.approx(roc_auc_score(repeated, np.repeat(scores, weights)))


@given(videos)
def test_auc_depends_on_the_order_of_scores_alone(rows):
    labels, scores, weights = map(np.array, zip(*rows, strict=True))
    transformed = weighted_auc(labels, np.exp(3 * scores) - 7, weights)
    np.testing.assert_allclose(transformed, weighted_auc(labels, scores, weights))


def test_weighted_auc_of_many_resamples_at_once():
    random = np.random.default_rng(0)
    labels, scores, weights = random.integers(0, 2, 9), random.random(9), random.integers(0, 3, (4, 5, 9))
    batched = weighted_auc(labels, scores, weights)
    assert batched.shape == (4, 5)
    np.testing.assert_allclose(batched[2, 3], weighted_auc(labels, scores, weights[2, 3]))


def test_bootstrap_keeps_clusters_together():
    clusters = np.array(["a", "b", "a", "b", "c"])
    seen = []
    separate = separate_clusters(clusters)
    bootstrap(lambda weights: seen.append(weights) or weights.mean(axis=-1), separate, seed=0, resamples=50)
    weights = np.concatenate(seen)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, [0, 1, 4]].sum(axis=1), np.full(50, 3))


def test_bootstrap_of_a_mean_spreads_as_theory_has_it():
    # The mean of G clusters of one size, drawn with replacement: the standard deviation is theirs / sqrt(G).
    values = np.random.default_rng(5).normal(size=(12, 4))
    drawn = bootstrap(
        lambda weights: weights @ values.ravel() / weights.sum(axis=-1),
        separate_clusters(np.repeat(np.arange(12), 4)),
        seed=0,
        resamples=20_000,
    )
    spread = np.std(values.mean(axis=1)) / np.sqrt(12)
    assert np.std(drawn) == pytest.approx(spread, rel=0.03)
    assert np.mean(drawn) == pytest.approx(values.mean(), abs=4 * spread / np.sqrt(20_000))


@pytest.mark.parametrize(("at_once", "largest"), [(38, 7), (2, 1), (1_000_000, 50)])
def test_resamples_are_the_same_in_batches_of_any_size(at_once, largest, monkeypatch):
    clusters = separate_clusters(np.array([0, 1, 0, 2, 3]))
    values, seen = np.array([0.3, 0.1, 0.4, 0.15, 0.9]), []

    def statistic(weights):
        seen.append(len(weights))
        return weights @ values

    expected = bootstrap(lambda weights: weights @ values, clusters, seed=3, resamples=50)
    monkeypatch.setattr(intervals, "_WEIGHTS_AT_ONCE", at_once)
    drawn = bootstrap(statistic, clusters, seed=3, resamples=50)
    np.testing.assert_allclose(drawn, expected, rtol=1e-12)
    assert len(drawn) == sum(seen) == 50 and max(seen) == largest


def test_bootstrap_leaves_out_resamples_without_a_class():
    labels, scores = np.array([0, 1]), np.array([0.1, 0.9])
    drawn = bootstrap(
        lambda weights: weighted_auc(labels, scores, weights),
        separate_clusters(np.array([0, 1])),
        seed=0,
        resamples=100,
    )
    assert 0 < len(drawn) < 100
    np.testing.assert_array_equal(drawn, 1)


@pytest.mark.parametrize("count", [1, 3, 24, 140])
def test_all_right_is_not_certain(count):
    labels, clusters = np.repeat([0, 1], count), separate_clusters(np.tile(np.arange(count), 2))
    low, high = accuracy_interval(np.ones(2 * count, bool), labels, clusters)
    assert low < 1 == high


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize(("hits", "count"), [(0, 20), (2, 20), (81, 263), (13, 13)])
def test_wilson_interval_is_scipys(hits, count, level):
    expected = binomtest(hits, count).proportion_ci(level, method="wilson")
    assert wilson_interval(hits / count, count, level) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_wilson_interval_holds_the_share_and_only_shares_to_the_last_bit(level):
    for count in range(1, 300):
        for share in (0, 1 / count, 1):
            low, high = wilson_interval(share, count, level)
            assert 0 <= low <= share <= high <= 1


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_videos_of_one_class_and_source_count_once(level):
    # Five sources with four real videos each, eight with three fakes each; all right, so no resample differs.
    labels, clusters = np.repeat([0, 1], [20, 24]), np.repeat([*range(5), *range(8)], [4] * 5 + [3] * 8)
    low, high = accuracy_interval(labels >= 0, labels, separate_clusters(clusters), level=level)
    assert (low, high) == pytest.approx(binomtest(13, 13).proportion_ci(level, method="wilson"))


def test_an_interval_covers_its_ends():
    interval = intervals.Interval(-0.25, 0)
    assert [value for value in (-0.3, -0.25, -0.1, 0, 0.1) if interval.covers(value)] == [-0.25, -0.1, 0]


def test_percentile_interval():
    assert percentile_interval(np.arange(101.0), level=0.9) == pytest.approx((5, 95))
