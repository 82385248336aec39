"""The command study, killed in the middle, on the records of a small data set."""

import html
import json
import time

import pytest

from tests.processes import Forked

FLAGS = [
    "--regions=full,mouth",
    "--heads=control",
    "--seeds=1",
    "--backbone=meso4",
    "--weights=none",
    "--lstm_units=4",
    "--batch_size=4",
    "--epochs=1",
    "--strategy=single",
    "--robustness=false",
]


@pytest.fixture(scope="module")
def study(resized_records, command, tmp_path_factory):
    """A study that was killed in its second run and then went on; what was there after the kill."""
    folder = tmp_path_factory.mktemp("study")
    flags = [f"--data={resized_records}", f"--workdir={folder}", *FLAGS]
    process = Forked("deepfake_tfdata.study", *flags)
    second = folder / "runs" / "mouth_control" / "seed-0"
    while not second.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.kill()
    process.wait()
    killed = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    first = (folder / "runs" / "full_control" / "seed-0" / "metrics.jsonl").read_text()
    plan = (folder / "plan.json").read_bytes()
    result = command("study", *flags)
    assert result.returncode == 0, result.stderr
    assert (folder / "plan.json").read_bytes() == plan
    assert (folder / "runs" / "full_control" / "seed-0" / "metrics.jsonl").read_text() == first
    return folder, flags, killed, result


@pytest.mark.slow
def test_nothing_is_tested_before_all_is_trained(study):
    folder, _, killed, _ = study
    names = {path.as_posix() for path in killed}
    assert "plan.json" in names and "runs/full_control/seed-0/evaluation/val/metrics.json" in names
    assert not any("evaluation/test" in name or name in ("test_opened.json", "study.json") for name in names)
    opened = json.loads((folder / "test_opened.json").read_text())
    assert opened["plan"] == json.loads((folder / "plan.json").read_text())["hash"]
    assert opened["scored_before"] == []


@pytest.mark.slow
def test_a_study_leaves_what_the_contract_says(study):
    folder, _, _, result = study
    for cell in ("full_control", "mouth_control"):
        assert (folder / "runs" / cell / "seed-0" / "evaluation" / "test" / "predictions.csv").is_file()
    found = json.loads((folder / "study.json").read_text())
    assert [cell["name"] for cell in found["cells"]] == ["full/control", "mouth/control"]
    assert all(len(cell["runs"]) == 1 for cell in found["cells"])
    assert "two models, not two methods" in found["notes"][0]
    (primary,) = found["comparisons"]
    assert (primary["first"], primary["second"]) == ("mouth/control", "full/control")
    aucs = [cell["auc"] for cell in found["cells"]]
    assert primary["difference"] == pytest.approx(aucs[1] - aucs[0])
    assert primary["verdict"] in ("better", "worse", "equivalent", "inconclusive")
    assert {path.name for path in (folder / "figures").iterdir()} >= {"cells.png", "cells.svg", "cells.csv"}
    lines = result.stdout.splitlines()
    assert lines[0] == f"verdict: {found['verdict']}"
    assert lines[-1] == f"report: {folder}/study.html"
    assert found["verdict"] in html.unescape((folder / "study.html").read_text())


@pytest.mark.slow
def test_a_plan_is_not_changed_afterwards(study, command):
    _, flags, _, _ = study
    result = command("study", *flags, "--seeds=3")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "planned another study (seeds was 1, now 3)" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--regions=full,nose"], "no region 'nose' in"),
        (["--heads=attention,control"], "--primary is missing; name the comparison that decides"),
        (["--regions=full,full.control"], "looks at more of the face than --region=full holds"),
        (["--seed=3"], "Unknown command line flag 'seed'"),
        (["--primary=mouth/control:eyes/control"], "is no A:B of two cells; choose from full/control"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(records, command, tmp_path, flags, message):
    workdir = tmp_path / "study"
    result = command("study", f"--data={records}", f"--workdir={workdir}", *FLAGS, *flags)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert not workdir.exists()
