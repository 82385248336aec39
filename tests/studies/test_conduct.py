"""The order of a study's work, and what it refuses, with trainings that only pretend."""

import json

import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.evaluations import write_scores
from deepfake_tfdata.studies.conclude import conclude

FEW = {"robustness": False, "seeds": 1}


def test_everything_is_trained_before_anything_is_tested(study, trainings, tmp_path):
    assert study(robustness=False) is not None
    kinds = [call.split(" ")[0] for call in trainings.calls]
    # Every run is trained, then scored on the validation; only then the test split is opened.
    assert kinds == ["train", "val"] * 8 + ["test"] * 8
    trainings.calls.clear()
    study(robustness=False)
    assert not trainings.calls
    assert json.loads((tmp_path / "study" / "test_opened.json").read_text())["scored_before"] == []


def test_a_run_that_is_not_finished_keeps_the_test_split_closed(study, trainings, tmp_path):
    trainings.fails_at = "full.mouth_control/seed-1"
    assert study(robustness=False) is None
    assert not any(call.startswith("test") for call in trainings.calls)
    assert not (tmp_path / "study" / "test_opened.json").exists()
    # Somebody looks at the run on the way, which makes it no more finished than it is.
    unfinished = tmp_path / "study" / "runs" / "full.mouth_control" / "seed-1"
    (unfinished / "evaluation" / "val").mkdir(parents=True)
    (unfinished / "evaluation" / "val" / "metrics.json").write_text("{}")
    assert study(robustness=False) is None
    trainings.fails_at = ""
    assert study(robustness=False) is not None


def test_it_stops_between_evaluations_and_goes_on(study, trainings):
    asked = iter([False, False, True, *[False] * 99])
    assert study(should_stop=lambda: next(asked), **FEW) is None
    scored = sum(call.startswith("test") for call in trainings.calls)
    assert 0 < scored < 4
    assert study(**FEW) is not None
    assert sum(call.startswith("test") for call in trainings.calls) == 4


def test_what_was_scored_before_the_opening_is_told_and_scored_anew(study, trainings, make_runs, tmp_path):
    trainings.fails_at = "full.mouth_control/seed-0"
    study(**FEW)
    early = tmp_path / "study" / "runs" / "full.whole_control" / "seed-0" / "evaluation"
    for name in ("test", "test-blur-1"):
        write_scores(early / name, make_runs(9)[0], {"auc": 1, "coverage": 1})
    trainings.fails_at = ""
    conducted = study(**FEW)
    assert conducted.opened["scored_before"] == ["full.whole/control, seed 0"]
    assert "test full.whole_control/seed-0" in trainings.calls
    assert not (early / "test-blur-1" / "metrics.json").exists()
    result, _ = conclude(conducted)
    assert any("1 run(s), first full.whole/control, seed 0" in note for note in result.notes)
    # Run again, it only concludes again.
    calls = list(trainings.calls)
    assert study(**FEW).opened == conducted.opened and trainings.calls == calls


def test_the_plan_can_not_be_changed_by_taking_its_file_away(study, trainings, tmp_path):
    study(**FEW)
    folder = tmp_path / "study"
    plan = (folder / "plan.json").read_text()
    (folder / "plan.json").unlink()
    with pytest.raises(UserError, match=r"plan.json is gone, though .* has runs; put it back"):
        study(**FEW, margin=0.3)
    (folder / "runs").rename(tmp_path / "runs")
    with pytest.raises(UserError, match="opened the test split for another plan, "):
        study(**FEW, margin=0.3)
    (folder / "plan.json").write_text(plan)
    (tmp_path / "runs").rename(folder / "runs")
    assert study(**FEW) is not None


def test_a_seed_is_not_drawn_again_once_the_test_split_is_open(study, trainings, tmp_path):
    study(**FEW)
    gone = tmp_path / "study" / "runs" / "full.mouth_control" / "seed-0"
    gone.rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="seed-0 is not trained, though the test split was opened at"):
        study(**FEW)


@pytest.mark.parametrize("what", ["model", "options"])
def test_a_run_that_was_changed_since_is_refused(study, trainings, tmp_path, what):
    trainings.fails_at = "full.mouth_control/seed-0"
    study(**FEW)
    run = tmp_path / "study" / "runs" / "full.whole_control" / "seed-0"
    if what == "model":
        (run / "model.keras").write_bytes(b"another")
        message = "model.keras is not the one that the study trained; put it back"
    else:
        config = json.loads((run / "config.json").read_text())
        config["config"]["learning_rate"] = 0.5
        (run / "config.json").write_text(json.dumps(config))
        message = "was trained with --learning_rate=0.5, not 0.0001"
    trainings.fails_at = ""
    with pytest.raises(UserError, match=message):
        study(**FEW)


def test_a_damaged_note_of_the_opening_is_one_line(study, trainings, tmp_path):
    study(**FEW)
    (tmp_path / "study" / "test_opened.json").write_text("{")
    with pytest.raises(UserError, match=r"test_opened\.json is damaged; put it back"):
        study(**FEW)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"transfer": ("{other}",)}, "those of --transfer="),
        ({"transfer": ("{records}",)}, "has the records that detectors are trained on; name others"),
        ({"folds": 3, "transfer": ("{records}",)}, "--folds and --transfer don't go together"),
        ({"strategy": "multi_worker"}, "a study runs on one machine"),
    ],
)
def test_what_could_not_be_scored_is_refused_before_anything_trains(
    study, trainings, records, other_records, tmp_path, flags, message
):
    places = {"records": records, "other": other_records}
    transfer = tuple(place.format(**places) for place in flags.get("transfer", ()))
    flags = {**flags, "transfer": transfer} if transfer else flags
    with pytest.raises(UserError, match=message):
        study(**{**FEW, "arms": "none", "regions": ("mouth",), "heads": ("control", "attention"), **flags})
    assert not trainings.calls and not (tmp_path / "study").exists()
