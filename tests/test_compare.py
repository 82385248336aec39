"""The command compare, on scores of any tool."""

import json
from dataclasses import replace

import numpy as np
import pytest

from deepfake_tfdata.evaluation.evaluations import write_scores
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import write_csv


@pytest.fixture
def evaluations(make_predictions, tmp_path):
    """The evaluation folders of two runs each of a good and a bad detector."""
    folders = {}
    for name, separation in {"mouth_attention": 4, "full_control": 0}.items():
        predictions = make_predictions(30, separation=separation)
        for seed in (1, 2):
            noise = np.random.default_rng(seed).normal(size=60) * 0.5
            logits = np.log(predictions.scores / (1 - predictions.scores)) + noise
            run = replace(predictions, scores=1 / (1 + np.exp(-logits)))
            folder = tmp_path / f"{name}-{seed}" / "evaluation" / "test"
            write_scores(folder, run, evaluate(run, resamples=20))
            folders.setdefault(name, []).append(folder)
    return folders


def both(evaluations, count=2):
    return (
        f"--{flag}={','.join(map(str, evaluations[name][:count]))}"
        for flag, name in (("first", "mouth_attention"), ("second", "full_control"))
    )


def test_several_runs_each_give_a_table_a_file_and_a_page(evaluations, command, tmp_path):
    result = command("compare", *both(evaluations), "--margin=0.05", f"--output={tmp_path / 'out.json'}")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[2].startswith("full_control ") and lines[3].startswith("mouth_attention ")
    assert lines[5] == "verdict: mouth_attention is better than full_control"
    assert "note:" not in result.stdout
    found = json.loads((tmp_path / "out.json").read_text())
    aucs = [
        np.mean([json.loads((folder / "metrics.json").read_text())["auc"] for folder in evaluations[name]])
        for name in ("mouth_attention", "full_control")
    ]
    assert (found["auc_first"], found["auc_second"]) == pytest.approx(aucs)
    assert found["difference"] == pytest.approx(aucs[0] - aucs[1])
    assert 0 < found["low"] < found["difference"] < found["high"]
    assert (found["verdict"], found["seeds"], found["margin"]) == ("better", 2, 0.05)
    assert (found["num_videos"], found["num_clusters"]) == (60, 30)
    assert found["se"] > 0 and found["df"] > 0 and found["p"] < 0.05
    assert "mouth_attention is better than full_control" in (tmp_path / "out.html").read_text()


def test_one_run_each_says_two_models(evaluations, command):
    result = command("compare", *both(evaluations, 1))
    assert result.returncode == 0, result.stderr
    assert "note: one run each: these are two models, not two methods" in result.stdout


def test_a_table_of_another_tool_is_enough_and_needs_no_tensorflow(
    evaluations, make_predictions, command, tmp_path
):
    scores = tmp_path / "other_tool.csv"
    write_csv(make_predictions(30, separation=1, seed=1), scores)
    text = scores.read_text().splitlines()
    scores.write_text("\n".join(",".join(line.split(",")[:4]) for line in text))  # the four columns
    real = [line.split(",")[0] for line in text[1:] if line.split(",")[2] == "0"]
    assert len(real) == 30
    one, other = (tmp_path / f"{name}.csv" for name in "ab")
    one.write_text(scores.read_text())
    other.write_text(scores.read_text().replace("0.", "0.0"))
    result = command("compare", f"--first={one}", f"--second={other}")
    assert result.returncode == 0, result.stderr
    assert "60 independent groups" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--first={good}/../..", "--second={good}"], "name WORKDIR/evaluation/SPLIT"),
        (["--first={tmp}/none.csv", "--second={good}"], "no {tmp}/none.csv"),
        (["--first={good}"], "--second is missing"),
        (["--first={good}", "--second={good}", "--output=x.html"], "--output=x.html is no JSON file"),
        (["--first={good},{bad}", "--second={good}"], "--first has 2 run(s) and --second 1; give as many"),
        (["--first={good},{good}", "--second={good},{bad}"], "has {good} 2 times; name it once"),
        (["--first={good}", "--second={bad}", "--margin=0"], "--margin=0.0 is out of range"),
    ],
)
def test_a_mistake_is_one_line(evaluations, command, tmp_path, flags, message):
    (good, _), (bad, _) = evaluations.values()
    places = {"good": good, "bad": bad, "tmp": tmp_path}
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


def test_two_methods_of_one_name_are_told_apart_and_other_data_is_warned_of(evaluations, command):
    first, second = evaluations["mouth_attention"]
    for folder, identity in ((first, "1b2c"), (second, "3d4e")):
        metrics = json.loads((folder / "metrics.json").read_text())
        metrics["data"] = {"name": "ffpp c23", "identity": identity}
        (folder / "metrics.json").write_text(json.dumps(metrics))
    result = command("compare", f"--first={first}", f"--second={first}")
    assert "mouth_attention-1 (first)" in result.stdout and "mouth_attention-1 (second)" in result.stdout
    assert "warning" not in result.stderr
    result = command("compare", f"--first={first}", f"--second={second}")
    assert (
        "warning: the two were scored on different data, ffpp c23 (1b2c) and ffpp c23 (3d4e)" in result.stderr
    )
    # Of another tool's scores nobody knows the data, which is no reason to warn.
    result = command("compare", f"--first={first}", f"--second={second / 'predictions.csv'}")
    assert result.returncode == 0 and "warning" not in result.stderr
