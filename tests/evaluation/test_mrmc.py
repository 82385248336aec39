import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm, t
from sklearn.metrics import roc_auc_score

from deepfake_tfdata.evaluation.clusters import identity_clusters, separate_clusters
from deepfake_tfdata.evaluation.mrmc import (
    Estimate,
    RunScores,
    holm,
    method_auc,
    method_difference,
    run_aucs,
)

# Of C. W. Van Dyke and others (1993): 114 cases, read by five readers after either of two treatments.
VAN_DYKE = Path(__file__).parent.parent / "data" / "vandyke.csv"


def van_dyke(readers="12345"):
    with VAN_DYKE.open() as file:
        rows = list(csv.DictReader(file))
    truth = {row["case"]: int(row["truth"]) for row in rows}
    ratings = {(row["treatment"], row["reader"], row["case"]): float(row["rating"]) for row in rows}
    scores = [[ratings[by, reader, case] for case in truth] for by in "12" for reader in readers]
    return RunScores(np.array([*truth.values()]), np.array(scores), separate_clusters(np.array([*truth])))


def pairs_of_identities(random, pairs=70, seeds=5, auc=0.94, shift=0.0):
    """Runs of two methods on originals and fakes of each pair [a, b], as in FaceForensics++'s test split.

    Spreads are such that one run of each method sees a difference of .064, five .043 and twenty .039 in 80 %
    of all studies. `shift` is added to the second method's separation.
    """
    of_pair, of_person = random.normal(size=pairs) * 0.3, random.normal(size=2 * pairs) * 0.3
    person = np.tile(np.arange(2 * pairs), 2)
    labels, pair = np.repeat([0, 1], 2 * pairs), person // 2
    spreads = {"video": 0.43, "method": 0.65, "run": 0.45}
    base = of_pair[pair] + of_person[person] + spreads["video"] * random.normal(size=len(labels))
    scores = []
    for method in range(2):
        of_method = spreads["method"] * random.normal(size=len(labels))
        for _ in range(seeds):
            separation = np.sqrt(2) * norm.ppf(auc) + method * shift + 0.15 * random.normal()
            noise = spreads["run"] * random.normal(size=len(labels))
            scores.append(base + of_method + noise + separation * labels)
    return RunScores(labels, np.array(scores), separate_clusters(pair))


def test_the_worked_example_of_the_literature():
    # The published jackknife analysis has F 4.456, 15.26 degrees of freedom and p .0517; with the unbiased
    # covariance of clusters in place of the jackknife's, F 4.513, 14.88 and .0508.
    difference = method_difference(run_aucs(van_dyke()))
    assert difference.value == pytest.approx(-0.0438, abs=5e-5)
    assert (difference.value / difference.se) ** 2 == pytest.approx(4.513, abs=5e-4)
    assert difference.df == pytest.approx(14.88, abs=5e-3)
    assert difference.p == pytest.approx(0.0508, abs=5e-5)
    assert difference.interval() == pytest.approx((-0.0878, 0.0002), abs=5e-5)


def test_one_run_each_is_delongs_test():
    runs = van_dyke("1")
    aucs = run_aucs(runs)
    fakes, reals = runs.scores[:, runs.labels == 1], runs.scores[:, runs.labels == 0]
    wins = (fakes[:, :, None] > reals[:, None]) + 0.5 * (fakes[:, :, None] == reals[:, None])
    change = wins[0] - wins[1]
    # DeLong's divides by the number of each class less one, this by that of all cases less one.
    parts = [np.var(change.mean(axis)) / change.shape[1 - axis] for axis in (0, 1)]
    expected = np.sqrt(sum(parts) * 114 / 113)
    found = method_difference(aucs)
    assert found.value == pytest.approx(wins.mean(axis=(1, 2)) @ [1, -1])
    assert (found.se, found.df) == (pytest.approx(expected), 44)  # 45 are diseased
    for score, value in zip(runs.scores, aucs.values, strict=True):
        assert value == pytest.approx(roc_auc_score(runs.labels, score))


def test_an_interval_is_students():
    estimate = Estimate(0.02, 0.01, df=7, least=-1)
    half = t.ppf(0.975, 7) * 0.01
    assert estimate.interval() == pytest.approx((0.02 - half, 0.02 + half))
    assert estimate.p == pytest.approx(2 * t.sf(2, 7))
    assert estimate.smallest_detectable == pytest.approx(half + t.ppf(0.8, 7) * 0.01)
    assert Estimate(0.99, 0.1, 7).interval().high == 1
    assert Estimate(0.01, 0.1, 7).interval().low == 0
    assert (Estimate(0, 0, 7).p, Estimate(0.1, 0, 7).p) == (1, 0)


def test_methods_that_are_equal_are_seldom_called_different():
    random = np.random.default_rng(1)
    p = [method_difference(run_aucs(pairs_of_identities(random))).p for _ in range(1000)]
    assert 0.02 < np.mean(np.array(p) < 0.05) <= 0.07


@pytest.mark.parametrize(("seeds", "detectable"), [(5, 0.043), (20, 0.039)])
def test_four_of_five_studies_find_what_is_called_detectable(seeds, detectable):
    random, found = np.random.default_rng(2), []
    better = 0.94 + detectable / 2, 0.94 - detectable / 2
    shift = np.sqrt(2) * (norm.ppf(better[0]) - norm.ppf(better[1]))
    for _ in range(200):
        runs = pairs_of_identities(random, seeds=seeds, auc=better[1], shift=shift)
        found.append(method_difference(run_aucs(runs)))
    assert 0.7 < np.mean([one.p < 0.05 for one in found]) < 0.9
    assert np.median([one.smallest_detectable for one in found]) == pytest.approx(detectable, rel=0.1)


def test_videos_that_err_together_count_once():
    random = np.random.default_rng(3)
    runs = pairs_of_identities(random, pairs=20)
    repeated = RunScores(
        np.tile(runs.labels, 10),
        np.tile(runs.scores, 10),
        separate_clusters(np.tile(runs.clusters.members[0], 10)),
    )
    one, ten = (method_difference(run_aucs(each)) for each in (runs, repeated))
    assert (one.value, one.se, one.df) == pytest.approx((ten.value, ten.se, ten.df))
    alone = RunScores(repeated.labels, repeated.scores, separate_clusters(np.arange(len(repeated.labels))))
    assert method_difference(run_aucs(alone)).se < 0.8 * ten.se


def covered(auc, pairs, seeds, studies=150):
    random = np.random.default_rng(4)
    aucs = [run_aucs(pairs_of_identities(random, pairs, seeds, auc)) for _ in range(studies)]
    return np.mean([method_auc(each.of(slice(seeds))).interval().covers(auc) for each in aucs])


@pytest.mark.parametrize(("auc", "pairs", "seeds"), [(0.5, 24, 3), (0.94, 70, 5), (0.98, 24, 2)])
def test_an_aucs_interval_covers_the_truth_as_often_as_it_says(auc, pairs, seeds):
    assert covered(auc, pairs, seeds) >= 0.9


@pytest.mark.parametrize("count", [1, 2, 24, 140])
def test_a_perfect_score_is_not_certain(count):
    labels, clusters = np.repeat([0, 1], count), separate_clusters(np.tile(np.arange(count), 2))
    scores = np.stack([labels, labels]).astype(float)
    low, high = method_auc(run_aucs(RunScores(labels, scores, clusters))).interval()
    # Newcombe's interval reaches down to .916 with 24 of each class, and to .985 with 140.
    assert low == pytest.approx({1: 0, 2: 0, 24: 0.914, 140: 0.9859}[count], abs=0.002)
    assert high == 1


def test_a_difference_is_no_surer_than_its_two_aucs():
    # A perfect detector and one that guesses: both intervals once contradicted that of the difference.
    random = np.random.default_rng(5)
    labels, clusters = np.repeat([0, 1], 48), separate_clusters(np.tile(np.arange(48) // 2, 2))
    guesses = random.normal(size=(1, 96))
    aucs = run_aucs(RunScores(labels, np.concatenate([labels[None], guesses]), clusters))
    perfect, guess = (method_auc(aucs.of(slice(place, place + 1))) for place in range(2))
    difference = method_difference(aucs)
    assert difference.se**2 == pytest.approx(perfect.se**2 + guess.se**2)
    assert difference.value == pytest.approx(perfect.value - guess.value)


@pytest.mark.parametrize(("count", "told"), [(1, False), (3, False), (4, False), (7, True)])
def test_few_sources_prove_nothing(count, told):
    labels, clusters = np.repeat([0, 1], count), separate_clusters(np.tile(np.arange(count), 2))
    runs = RunScores(labels, np.stack([labels, 1 - labels]), clusters)
    assert (method_difference(run_aucs(runs)).p < 0.05) is told


@pytest.mark.parametrize("seeds", [1, 3])
def test_degrees_of_freedom_are_those_of_as_many_units_of_one_size(seeds):
    random = np.random.default_rng(8)
    runs = pairs_of_identities(random, pairs=40, seeds=seeds)
    # Seeds that hardly differ would give degrees of freedom without end.
    steady = runs.scores[::seeds].repeat(seeds, axis=0) + 1e-9 * random.normal(size=runs.scores.shape)
    even = RunScores(runs.labels, steady, runs.clusters)
    assert method_difference(run_aucs(even)).df == pytest.approx(39)
    # Half of the pairs in one group: 80 videos of a class, 40 of them of one unit.
    group = np.where(runs.clusters.members[0] < 20, 0, runs.clusters.members[0])
    uneven = RunScores(runs.labels, steady, separate_clusters(group))
    assert method_difference(run_aucs(uneven)).df == pytest.approx(80**2 / (20 * 4 + 1600) - 1)


def difference_by_seed(labels, scores):
    aucs = [roc_auc_score(labels, own) for own in scores]
    return np.subtract(aucs[: len(aucs) // 2], aucs[len(aucs) // 2 :])


def test_methods_that_agree_more_than_seeds_do_take_nothing_off():
    # Cov2 less Cov3 comes out negative: what is left is how much the difference varies from seed to seed.
    random = np.random.default_rng(9)
    labels, shared = np.repeat([0, 1], 60), random.normal(size=120)
    other = random.normal(size=120)
    first, second = np.stack([shared, other]) + labels, np.stack([other, shared]) + labels
    scores = np.concatenate([first, second + 0.2 * random.normal(size=(2, 120))])
    difference = method_difference(run_aucs(RunScores(labels, scores, separate_clusters(np.arange(120)))))
    assert difference.se**2 == pytest.approx(np.var(difference_by_seed(labels, scores), ddof=1) / 2)


def test_one_source_of_a_class_proves_nothing_however_many_the_other_has():
    labels = np.repeat([0, 1], [1, 60])
    runs = RunScores(labels, np.stack([labels, 1 - labels]), separate_clusters(np.arange(61)))
    assert method_difference(run_aucs(runs)).p > 0.05


def test_joined_identities_are_resampled():
    # Everybody swapped with everybody: one component, but twelve identities. Each has easier or harder fakes.
    random = np.random.default_rng(6)
    people = [f"{number:02d}" for number in range(12)]
    swaps = [(a, b) for a in people for b in people if a != b]
    targets = np.array(people + [a for a, _ in swaps])
    sources = np.array([""] * 12 + [b for _, b in swaps])
    labels = np.repeat([0, 1], [12, len(swaps)])
    clusters = identity_clusters(targets, sources)
    ease = random.normal(size=(4, 13))
    ease[:, -1] = 0
    scores = ease[:, clusters.members].sum(axis=1) + 0.3 * random.normal(size=(4, len(labels))) + 2 * labels
    aucs = run_aucs(RunScores(labels, scores, clusters))
    alone = run_aucs(RunScores(labels, scores, separate_clusters(np.arange(len(labels)))))
    assert aucs.num_clusters == 12
    assert np.diag(aucs.covariance).min() > 0
    assert np.diag(aucs.covariance).mean() > 1.2 * np.diag(alone.covariance).mean()
    np.testing.assert_allclose(aucs.values, alone.values)


def test_folds_are_averaged_and_never_mixed():
    random = np.random.default_rng(7)
    runs = pairs_of_identities(random, pairs=40, seeds=2, auc=0.8)
    fold = runs.clusters.members[0] % 4
    # Detectors of different folds give scores on different scales.
    shifted = RunScores(runs.labels, runs.scores + 100 * fold, runs.clusters, fold)
    aucs = run_aucs(shifted)
    expected = [
        np.mean([roc_auc_score(runs.labels[fold == k], own[fold == k]) for k in range(4)])
        for own in runs.scores
    ]
    np.testing.assert_allclose(aucs.values, expected)
    whole = run_aucs(runs)
    np.testing.assert_allclose(np.diag(aucs.covariance), np.diag(whole.covariance), rtol=0.5)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []
