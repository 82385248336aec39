"""The command compare, on scores of any tool."""

import json

import numpy as np
import pytest

from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import write_csv
from deepfake_tfdata.reports.evaluation_report import write_evaluation


@pytest.fixture
def evaluations(make_predictions, tmp_path):
    """A good and a bad detector's evaluation folders."""
    folders = []
    for name, separation in {"mouth_attention": 4, "full_control": 0}.items():
        predictions = make_predictions(30, separation=separation)
        metrics = evaluate(predictions)
        folder = tmp_path / name / "evaluation" / "test"
        write_evaluation(folder, predictions, metrics, title=name, context={})
        folders.append(folder)
    return folders


def test_two_evaluations_give_a_table_a_file_and_a_page(evaluations, command, tmp_path):
    good, bad = evaluations
    result = command("compare", f"--first={good}", f"--second={bad}", f"--output={tmp_path / 'out.json'}")
    assert result.returncode == 0, result.stderr
    reference, line = result.stdout.splitlines()[2:4]
    assert reference.startswith("full_control") and reference.endswith("reference")
    assert line.startswith("mouth_attention") and line.endswith("], distinguishable")
    found = json.loads((tmp_path / "out.json").read_text())
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in evaluations]
    assert (found["auc_first"], found["auc_second"]) == (metrics[0]["auc"], metrics[1]["auc"])
    assert found["difference"] == pytest.approx(found["auc_first"] - found["auc_second"])
    assert 0 < found["low"] < found["difference"] < found["high"]
    assert found["distinguishable"] is True
    assert found["num_videos"] == 60
    page = (tmp_path / "out.html").read_text()
    assert "mouth_attention" in page and "full_control" in page


def test_a_table_of_another_tool_is_enough(evaluations, make_predictions, command, tmp_path):
    scores = tmp_path / "other_tool.csv"
    write_csv(make_predictions(30, separation=1, seed=1), scores)
    result = command("compare", f"--first={scores}", f"--second={evaluations[1]}")
    assert result.returncode == 0, result.stderr
    assert "\nother_tool" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--first={good}/../..", "--second={good}"], "name WORKDIR/evaluation/SPLIT"),
        (["--first={tmp}/none.csv", "--second={good}"], "no {tmp}/none.csv"),
        (["--first={good}"], "--second is missing"),
        (["--first={good}", "--second={good}", "--output=x.html"], "--output=x.html is no JSON file"),
    ],
)
def test_a_mistake_is_one_line(evaluations, command, tmp_path, flags, message):
    places = {"good": evaluations[0], "tmp": tmp_path}
    result = command("compare", *(flag.format(**places) for flag in flags))
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert message.format(**places) in result.stderr


def test_other_videos_are_refused(make_predictions, command, tmp_path):
    for name, rows in {"a": np.arange(10), "b": np.arange(10, 20)}.items():
        write_csv(make_predictions(10).select(rows), tmp_path / f"{name}.csv")
    result = command("compare", f"--first={tmp_path}/a.csv", f"--second={tmp_path}/b.csv")
    assert result.returncode == 2
    assert "share no real or no fake video" in result.stderr
