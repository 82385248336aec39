from dataclasses import replace

import numpy as np
import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.comparison import NothingSharedError, compare, shared_videos, verdict_of
from deepfake_tfdata.evaluation.comparison_texts import comparison_text, comparison_values
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.mrmc import Estimate

FOUR = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")


@pytest.fixture
def runs(make_predictions):
    """Runs of one method, on the same videos: what is hard for one is hard for all."""

    def make(separation, seeds=3, num_sources=40, first_seed=0):
        easy = make_predictions(num_sources, separation=separation)
        logits = np.log(easy.scores / (1 - easy.scores))
        scores = [
            logits + np.random.default_rng(first_seed + seed).normal(size=len(logits))
            for seed in range(seeds)
        ]
        return [replace(easy, scores=1 / (1 + np.exp(-each))) for each in scores]

    return make


@pytest.mark.parametrize(
    ("value", "se", "margin", "verdict"),
    [
        (0.03, 0.01, 0.02, "better"),
        (-0.03, 0.01, 0.02, "worse"),
        (0.01, 0.02, 0.02, "inconclusive"),
        (0.001, 0.01, 0.02, "equivalent"),
        (0.004, 0.01, 0.02, "inconclusive"),  # its 90 % interval reaches .0207
        (0.004, 0.01, 0.03, "equivalent"),
        (0.0, 0.0, 0.02, "equivalent"),
    ],
)
def test_verdicts(value, se, margin, verdict):
    estimate = Estimate(value, se, df=60, least=-1)
    assert verdict_of(estimate, estimate.p, margin) == verdict


def test_a_method_is_no_better_than_itself(runs):
    one = runs(2)
    found = compare(one, one)
    assert (found.difference.value, found.p, found.verdict) == (0, 1, "equivalent")


def test_a_much_better_method_is_better(runs):
    good, bad = runs(4), runs(0, first_seed=10)
    forward, backward = compare(good, bad), compare(bad, good)
    assert (forward.verdict, backward.verdict) == ("better", "worse")
    assert backward.difference.value == pytest.approx(-forward.difference.value)
    assert 0 < forward.difference.interval().low < forward.difference.value
    assert (forward.seeds, forward.num_videos, forward.num_clusters) == (3, 80, 40)
    assert forward.first.value == pytest.approx(np.mean(forward.first_runs))
    assert not forward.notes


def test_its_auc_and_an_evaluations_are_of_one_construction(runs):
    one, other = runs(1, seeds=1), runs(0, seeds=1, first_seed=5)
    found, metrics = compare(one, other), evaluate(one[0], resamples=50)
    assert (found.first.value, *found.first.interval()) == pytest.approx(
        (metrics["auc"], metrics["auc_low"], metrics["auc_high"])
    )


def test_pairing_finds_a_difference_that_separate_intervals_hide(runs):
    first = runs(1, num_sources=60)
    # The same scores, every fake a little less suspect.
    second = [replace(run, scores=run.scores - 0.06 * run.labels * run.scores) for run in first]
    found = compare(first, second)
    assert found.verdict == "better"
    assert found.second.interval().high > found.first.value


def test_one_run_each_compares_two_models(runs):
    found = compare(runs(3, seeds=1), runs(0, seeds=1, first_seed=7))
    assert found.seeds == 1
    assert found.notes[0].startswith("one run each: these are two models, not two methods")
    assert not compare(runs(3, seeds=2), runs(0, seeds=2, first_seed=7)).notes


def test_headroom_that_is_too_small_to_see_is_told(runs):
    near = [replace(run, scores=(run.labels + 0.6 * run.scores) / 2) for run in runs(0, seeds=2)]
    other = [replace(run, scores=(run.labels + 0.6 * run.scores) / 2) for run in runs(0, 2, first_seed=9)]
    found = compare(near, other)
    assert found.verdict == "inconclusive"
    assert any("is left above the second's AUC" in note for note in found.notes)


def test_another_p_gives_another_verdict(runs):
    found = compare(runs(4), runs(0, first_seed=10))
    adjusted = found.adjusted(0.2, 3)
    assert (found.verdict, adjusted.verdict, adjusted.p) == ("better", "inconclusive", 0.2)
    # One of three is certain of equivalence only at a third of the risk: at 90 % it is.
    estimate = Estimate(0.002, 0.01, df=60, least=-1)
    assert [verdict_of(estimate, 0.8, 0.02, comparisons) for comparisons in (1, 3)] == [
        "equivalent",
        "inconclusive",
    ]


def test_a_table_without_sources_is_clustered_by_those_of_the_other(make_predictions):
    # In a table of four columns every video is a source of its own: as if a face's videos were independent.
    known, other = (make_predictions(20, FOUR, seed=seed) for seed in (0, 1))
    expected = compare([known], [other])
    lacking = replace(other, target_ids=other.video_keys, components=other.video_keys)
    for found in (compare([known], [lacking]), compare([lacking], [known])):
        assert abs(found.difference.value) == pytest.approx(abs(expected.difference.value))
        assert found.difference.se == pytest.approx(expected.difference.se)
        assert found.num_clusters == 20


def test_drivers_join_what_they_drove(make_predictions):
    predictions = make_predictions(20)
    partner = np.array([f"{int(target) ^ 1:03d}" for target in predictions.target_ids])
    driven = np.where(predictions.labels == 1, partner, "")
    known = replace(predictions, source_ids=driven, components=np.array([]))
    assert compare([known], [replace(known, scores=known.scores**2 * 0.9)]).num_clusters == 10


def test_where_everybody_is_joined_identities_count(make_predictions):
    predictions = make_predictions(20)
    following = np.array([f"{(int(target) + 1) % 20:03d}" for target in predictions.target_ids])
    known = replace(
        predictions, source_ids=np.where(predictions.labels == 1, following, ""), components=np.array([])
    )
    found = compare([known], [replace(known, scores=1 - known.scores)])
    assert (found.by_identity, found.num_clusters) == (True, 20)
    assert any("identities were resampled" in note for note in found.notes)


def test_only_shared_videos_count_and_order_does_not(make_predictions):
    predictions = make_predictions(20)
    fewer = predictions.select(np.arange(len(predictions))[::-1][:35])
    found = compare([predictions], [fewer])
    assert (found.num_videos, found.num_left_out, found.difference.value) == (35, 5, 0)
    assert any(note.startswith("5 video(s) that not all runs scored are left out") for note in found.notes)
    whole = compare([predictions], [predictions])
    assert whole.num_left_out == 0 and not any("left out" in note for note in whole.notes)
    first, second = shared_videos([predictions, fewer])
    assert first.video_keys.tolist() == second.video_keys.tolist()
    np.testing.assert_array_equal(first.scores, second.scores)


def test_refuses_nothing_shared_and_labels_that_differ(make_predictions):
    predictions = make_predictions(4)
    for other in (predictions.select(predictions.labels == 0), make_predictions(4, methods=("Other",))):
        others = replace(other, manipulations=np.char.add(other.manipulations, "x"))
        with pytest.raises(NothingSharedError, match="share no real or no fake"):
            compare([predictions], [others])
    with pytest.raises(UserError, match="different labels for video 'Face2Face/000_999'"):
        compare([predictions], [replace(predictions, labels=1 - predictions.labels)])


def test_refuses_folds_that_differ_or_have_one_class(make_predictions):
    predictions = make_predictions(6)
    folded = replace(predictions, folds=[f"{int(name) % 2 + 1}/2" for name in predictions.target_ids])
    assert compare([folded], [folded]).num_videos == 12
    other = replace(folded, folds=np.flip(folded.folds))
    with pytest.raises(UserError, match="the detectors have different folds for video 'Face2Face/000_999'"):
        compare([folded], [other])
    lacking = folded.select((folded.folds == "1/2") | (folded.labels == 1))
    with pytest.raises(NothingSharedError, match="share no real or no fake video of fold 2/2"):
        compare([lacking], [lacking])


def test_a_table_without_methods_is_matched_by_the_ids_of_the_other(make_predictions):
    known = make_predictions(20)
    methods = np.where(known.labels == 1, "fake", "original")
    lacking = replace(known, manipulations=methods, scores=known.scores**2 * 0.9)
    for first, second in ((known, lacking), (lacking, known)):
        assert compare([first], [second]).num_videos == 40
    twice = make_predictions(20, methods=("Face2Face", "FaceSwap"))
    with pytest.raises(
        UserError, match="does not say which '000_999' it means, that of Face2Face or of FaceSwap"
    ):
        compare([twice], [lacking])
    assert compare([twice], [twice]).num_videos == 60


def test_runs_that_say_the_same_of_all_videos_may_agree(runs):
    constant = [replace(run, scores=np.full(len(run), 0.5)) for run in runs(1, 2)]
    assert compare(constant, runs(1, 2)).first.value == 0.5


def test_refuses_unequal_numbers_of_runs_and_a_run_given_twice(runs):
    with pytest.raises(UserError, match=r"the first has 2 run\(s\) and the second 3; give as many of each"):
        compare(runs(1, 2), runs(1, 3))
    first = runs(1, 2)
    with pytest.raises(UserError, match="runs 1 and 2 of a method have the same scores; give each run once"):
        compare([first[0], first[0]], runs(1, 2, first_seed=5))


def test_texts_have_the_figures_of_the_values(runs):
    found = compare(runs(4), runs(0, first_seed=10), margin=0.03)
    text = comparison_text("mouth", "full", ("ffpp c23 (12ab)", "ffpp c23 (12ab)"), found)
    values = comparison_values(found)
    lines = text.splitlines()
    assert lines[2].startswith("full ") and lines[3].startswith("mouth ")
    assert f"{values['difference']:+.3f} [{values['low']:+.3f}, {values['high']:+.3f}]" in lines[4]
    assert lines[5] == "verdict: mouth is better than full"
    assert "3 run(s) each on 80 videos of 40 independent groups of identities" in lines[6]
    assert f"difference of {values['smallest_detectable']:.3f} would be found" in lines[6]
    assert values["margin"] == 0.03 and values["verdict"] == "better"
    assert values["auc_first"] == pytest.approx(np.mean(values["runs_first"]))
    for key in ("auc_first", "auc_second"):
        assert values[f"{key}_low"] < values[key] < values[f"{key}_high"]
