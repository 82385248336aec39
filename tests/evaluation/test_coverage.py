"""Of a split's videos, how many were scored, and what is said where a figure means little."""

import numpy as np
import pytest

from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.notes import plain_notes
from deepfake_tfdata.evaluation.texts import evaluation_text

FOUR = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")
PLANNED = {"real": {"actors": 4, "original": 20}, "fake": {"Face2Face": 25, "FaceSwap": 5}}


def with_scores(predictions, scores):
    return type(predictions)(**{**vars(predictions), "scores": np.asarray(scores, float)})


def called(make_predictions, num_real, num_fake, wrong_real=0, wrong_fake=0):
    """Originals and fakes, each video of a source of its own, of which some are called wrong."""
    count = max(num_real, num_fake)
    predictions = make_predictions(count).select([*range(num_real), *range(count, count + num_fake)])
    scores = [0.9] * wrong_real + [0.1] * (num_real - wrong_real)
    return with_scores(predictions, scores + [0.1] * wrong_fake + [0.9] * (num_fake - wrong_fake))


def test_coverage_of_each_class_and_of_each_method(make_predictions):
    metrics = evaluate(make_predictions(20), planned=PLANNED)
    assert (metrics["num_videos_in_split"], metrics["coverage"]) == (54, 40 / 54)
    assert metrics["coverage_by_class"] == {"real": 20 / 24, "fake": 20 / 30}
    methods = metrics["per_manipulation"]
    assert {name: values["coverage"] for name, values in methods.items()} == {
        "Face2Face": 0.8,
        "FaceSwap": 0.0,
    }
    assert methods["FaceSwap"]["auc"] is methods["FaceSwap"]["recall"] is None
    assert (methods["FaceSwap"]["num_fake"], methods["FaceSwap"]["num_videos"]) == (0, 20)


def test_what_was_scored_is_all_where_nothing_more_is_known(make_predictions):
    metrics = evaluate(make_predictions(3))
    assert (metrics["num_videos_in_split"], metrics["coverage"]) == (6, 1)
    assert metrics["coverage_by_class"] == {"real": 1, "fake": 1}


def test_a_class_that_the_split_lacks_has_no_coverage(make_predictions):
    planned = {"real": {}, "fake": {"Face2Face": 4, "FaceSwap": 1}}
    metrics = evaluate(make_predictions(4).select(range(4, 8)), planned=planned)
    assert metrics["coverage_by_class"] == {"fake": 0.8}
    assert metrics["per_manipulation"]["FaceSwap"]["num_videos"] == 0


@pytest.mark.parametrize(
    ("planned", "message"),
    [
        ({"real": {"original": 3}, "fake": {"Face2Face": 4}}, "4 real videos of original .* has 3"),
        ({"real": {"original": 4}, "fake": {"FaceSwap": 4}}, "4 fake videos of Face2Face .* has 0"),
    ],
)
def test_refuses_more_videos_than_the_split_has(make_predictions, planned, message):
    with pytest.raises(ValueError, match=message):
        evaluate(make_predictions(4), planned=planned)


@pytest.mark.parametrize(
    ("videos", "expected"),
    [
        # Real, fake, and of each how many are called wrong.
        (
            (25, 100, 25, 0),
            "every video is called fake: the accuracy, 80.0%, is the share of fake videos and",
        ),
        (
            (25, 100, 0, 100),
            "every video is called real: the accuracy, 20.0%, is the share of real videos and",
        ),
        (
            (30, 30, 30, 0),
            "every video is called fake: the accuracy, 50.0%, is the share of fake videos and",
        ),
        ((25, 100, 20, 10), "an accuracy of 76.0% is no more than calling every video fake scores, 80.0%"),
        ((25, 100, 15, 10), "an accuracy of 80.0% is no more than calling every video fake scores, 80.0%"),
        ((100, 25, 10, 15), "an accuracy of 80.0% is no more than calling every video real scores, 80.0%"),
        (
            (25, 100, 10, 10),
            "an accuracy of 84.0% can't be told from calling every video fake, which scores 80.0%",
        ),
        (
            (30, 30, 14, 14),
            "an accuracy of 53.3% can't be told from calling every video fake, which scores 50.0%",
        ),
        ((25, 100, 1, 2), None),
    ],
)
def test_an_accuracy_that_one_answer_would_have_is_said_to_be_that(make_predictions, videos, expected):
    metrics = evaluate(called(make_predictions, *videos))
    notes = [note for note in metrics["notes"] if "accuracy" in note]
    assert [note[: len(expected or "")] for note in notes] == ([expected] if expected else [])


def test_an_interval_that_ends_where_one_answer_scores_does_not_exclude_it(make_predictions):
    metrics = evaluate(make_predictions(20, separation=4))
    assert not plain_notes(metrics, {})
    (note,) = plain_notes({**metrics, "accuracy_low": metrics["majority_share"]}, {})
    assert "can't be told from calling every video" in note


@pytest.mark.parametrize(
    ("num_real", "measured", "expected"),
    [
        (19, [], ["too few real videos, 19, for a false positive rate so low: 1% needs 100 and 5% needs 20"]),
        (99, ["tpr_at_fpr_5"], ["too few real videos, 99, for a false positive rate so low: 1% needs 100"]),
        (100, ["tpr_at_fpr_1", "tpr_at_fpr_5"], []),
    ],
)
def test_a_rate_that_the_real_videos_are_too_few_for_is_none(make_predictions, num_real, measured, expected):
    metrics = evaluate(make_predictions(num_real, methods=("Deepfakes", "Face2Face"), separation=4))
    assert [key for key in ("tpr_at_fpr_1", "tpr_at_fpr_5") if metrics[key] is not None] == measured
    for key in measured:
        assert metrics[f"{key}_low"] < metrics[key] <= metrics[f"{key}_high"]
    assert metrics["notes"] == expected


def test_a_balanced_accuracy_is_not_moved_by_the_share_of_fakes(make_predictions):
    few, many = (evaluate(called(make_predictions, 20, 20 * share, 5, 2 * share)) for share in (1, 4))
    assert few["accuracy"] != many["accuracy"]
    assert few["balanced_accuracy"] == pytest.approx(many["balanced_accuracy"]) == pytest.approx(0.825)
    assert many["balanced_accuracy_low"] < 0.825 < many["balanced_accuracy_high"]


def test_what_is_lost_of_one_class_or_method_is_said(make_predictions):
    predictions = make_predictions(20, methods=FOUR, separation=9)
    planned = {"real": {"original": 20}, "fake": dict.fromkeys(FOUR, 20)}
    assert not [note for note in evaluate(predictions, planned=planned)["notes"] if "coverage" in note]
    planned["fake"]["FaceSwap"] = 21  # 4.8 % are lost
    assert not [note for note in evaluate(predictions, planned=planned)["notes"] if "coverage" in note]
    planned["fake"]["FaceSwap"] = 25
    note = evaluate(predictions, planned=planned)["notes"][-1]
    each = "real 100.0%, Deepfakes 100.0%, Face2Face 100.0%, FaceSwap 80.0%, NeuralTextures 100.0%"
    assert note == f"coverage is uneven, {each}: what is lost may be what is hard"
    planned = {"real": {"original": 25}, "fake": dict.fromkeys(FOUR, 20)}
    assert "real 80.0%" in evaluate(predictions, planned=planned)["notes"][-1]


def test_the_text_has_the_figures_and_what_to_know_of_them(make_predictions):
    metrics = evaluate(called(make_predictions, 25, 100, 25, 0))
    header, _, figures, found, *notes = evaluation_text("full/control on val", "ffpp", metrics).splitlines()
    assert header.split("  ")[0] == "name" and "balanced accuracy" in header
    assert figures.startswith("full/control on val  ffpp")
    assert "50.0%" in figures and "80.0%" in figures
    assert found.startswith("fakes found: 0.0% [0.0%, ") and found.endswith(
        "] at a false positive rate of 5%"
    )
    assert notes == [f"note: {note}" for note in metrics["notes"]]
    none = evaluation_text("a", "b", evaluate(make_predictions(3)))
    assert "fakes found" not in none
