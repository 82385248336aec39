from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from deepfake_tfdata.studies.description import correlations, dose_edges, doses


def test_the_first_bin_loses_nothing_and_the_others_are_halves():
    sizes = np.array([30.0, 64, 65, 80, 100, 120])
    assert dose_edges(sizes, 64) == [0, 64, 90, 120]
    assert dose_edges(sizes[:2], 64) == [0, 64]
    assert dose_edges(np.array([100.0]), 64) == [0, 64, 100]


def test_an_effect_in_large_faces_alone_is_found_there_alone(make_runs):
    sizes = np.tile(np.repeat(np.where(np.arange(24) % 2, 40.0, 100 + np.arange(24)), 2), 2)
    good, bad = make_runs(4, first_seed=1), make_runs(0, first_seed=2)
    first = [
        replace(one, scores=np.where(sizes > 64, one.scores, other.scores))
        for one, other in zip(good, make_runs(0, first_seed=3), strict=True)
    ]
    small, middle, large = doses(first, bad, sizes, 64, 0.02)
    assert (small.low, small.high, small.num_videos) == (0, 64, 48)
    assert middle.num_videos + large.num_videos == 48
    assert small.comparison.verdict == "inconclusive" or abs(small.comparison.difference.value) < 0.2
    assert middle.comparison.difference.value > 0.3 and large.comparison.difference.value > 0.3


def test_a_bin_of_few_people_or_of_one_class_has_no_figures(make_runs):
    sizes = np.full(96, 100.0)
    sizes[:4] = 40.0  # two pairs' originals
    first, second = make_runs(1), make_runs(0, first_seed=1)
    small, *_ = doses(first, second, sizes, 64, 0.02)
    assert (small.num_videos, small.comparison) == (4, None)
    sizes[:48] = 40.0  # all reals
    assert [each.comparison for each in doses(first, second, sizes, 64, 0.02)] == [None] * 2
    unknown = np.where(np.arange(96) < 10, np.nan, 50.0)
    assert doses(first, second, unknown, 64, 0.02)[0].num_videos == 86


def test_scores_that_go_with_a_nuisance_in_one_class_are_seen(make_runs):
    runs = make_runs(1)
    nuisance = np.where(runs[0].labels == 1, np.mean([run.scores for run in runs], axis=0), 0.0)
    nuisance[:48] = np.random.default_rng(0).random(48)
    real, fake = correlations(runs, {"face_size": nuisance})
    assert (real.label, fake.label) == (0, 1)
    assert fake.value == pytest.approx(1) and fake.interval.low > 0.9
    mean = np.mean([run.scores[:48] for run in runs], axis=0)
    assert real.value == pytest.approx(spearmanr(mean, nuisance[:48]).statistic)
    assert real.interval.low < real.value < real.interval.high
    assert abs(real.value) < 0.4


def test_a_nuisance_that_is_alike_or_unknown_has_no_correlation(make_runs):
    runs = make_runs(1)
    for values in (np.ones(96), np.full(96, np.nan)):
        assert [each.value for each in correlations(runs, {"jitter": values})] == [None, None]
