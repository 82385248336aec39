import json
import shutil
from pathlib import Path

import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.evaluations import common_name, read_evaluation
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import write_csv


@pytest.fixture
def folder(make_predictions, tmp_path):
    """An evaluation as the command leaves it."""
    place = tmp_path / "mouth_attention" / "evaluation" / "test"
    place.mkdir(parents=True)
    write_csv(make_predictions(10), place / "predictions.csv")
    metrics = {**evaluate(make_predictions(10)), "data": {"name": "ffpp c23", "identity": "1b2c"}}
    (place / "metrics.json").write_text(json.dumps(metrics))
    return place


def test_an_evaluation_is_named_by_its_run_and_knows_its_data(folder, tmp_path, monkeypatch):
    found = read_evaluation(folder)
    assert (found.name, found.data) == ("mouth_attention", "ffpp c23 (1b2c)")
    assert found.metrics["auc"] == evaluate(found.predictions)["auc"]
    assert read_evaluation(folder.rename(tmp_path / "elsewhere")).name == "elsewhere"
    of_study = tmp_path / "full.mouth_control" / "seed-3-fold-1" / "evaluation" / "test"
    assert read_evaluation(shutil.copytree(tmp_path / "elsewhere", of_study)).name == "full.mouth_control"
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_evaluation(Path()).name == "elsewhere"


def test_a_table_is_named_by_its_file(folder):
    found = read_evaluation((folder / "predictions.csv").rename(folder / "other_tool.csv"))
    assert (found.name, found.data, found.metrics) == ("other_tool", "unknown", {})


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["mouth_attention"], "mouth_attention"),
        (["mouth_attention-1", "mouth_attention-2"], "mouth_attention"),
        (["a", "b"], "a"),
        (["mouth-10", "mouth-11"], "mouth"),
        (["mouth", "mouth"], "mouth"),
        (["mouth-1", "mouth-1b"], "mouth-1"),
    ],
)
def test_the_runs_of_a_method_are_called_by_what_their_names_share(names, expected):
    assert common_name(names) == expected


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"auc": 1}', '{"auc": 1, "coverage": 1, "data": 3}'])
def test_a_damaged_evaluation_is_refused_in_one_line(folder, text):
    (folder / "metrics.json").write_text(text)
    with pytest.raises(UserError, match=r"metrics.json is damaged or of another version; evaluate again"):
        read_evaluation(folder)


def test_a_folder_without_evaluation_is_refused(folder):
    with pytest.raises(UserError, match=f"no evaluation in {folder.parent}; name WORKDIR/evaluation/SPLIT"):
        read_evaluation(folder.parent)
