"""The demo's script calls the commands with flags that they take, for every preset."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deepfake_tfdata import cli
from tests.test_readme import COMMANDS

DEMO = Path(__file__).parents[2] / "tools" / "demo.sh"
# Stands in for python: notes what it was called with.
STAND_IN = f"""#!{sys.executable} -IS
import json, sys
with open("calls.jsonl", "a") as file:
    print(json.dumps(sys.argv[2:]), file=file)
"""


@pytest.fixture
def calls_of(tmp_path):
    """Runs the demo with a stand-in for python; returns what that was called with, and the extras."""

    def run(*presets):
        (tmp_path / "tools").mkdir()
        shutil.copy(DEMO, tmp_path / "tools")
        (tmp_path / "tools" / "venv.sh").write_text('echo "$1" > extras\n')
        (tmp_path / "python").write_text(STAND_IN)
        (tmp_path / "python").chmod(0o755)
        splits = tmp_path / "demo" / (presets or ("dilution",))[0] / "videos" / "splits"
        splits.mkdir(parents=True)
        (splits / "test.json").write_text('[["002", "149"], ["003", "004"]]')
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        subprocess.run(["bash", "tools/demo.sh", *presets], cwd=tmp_path, env=environment, check=True)
        calls = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
        return calls, (tmp_path / "extras").read_text().strip()

    return run


@pytest.mark.parametrize("presets", [[], ["dilution"], ["null"], ["pretrained"]])
def test_every_call_is_one_that_the_commands_take(calls_of, presets):
    calls, extras = calls_of(*presets)
    modules = [module for module, *_ in calls]
    once = ["deepfake_tfdata.train", "deepfake_tfdata.evaluate"]
    made = ["tools.synthetic", "deepfake_tfdata.convert", "deepfake_tfdata.audit"]
    third = [] if presets == ["pretrained"] else [*once, "deepfake_tfdata.explain"]
    assert modules == [*made, *once, *once, *third, "deepfake_tfdata.compare", "deepfake_tfdata.predict"]
    assert extras == ("[pretrained]" if presets == ["pretrained"] else "")
    configs = [
        cli.parse(COMMANDS[module.removeprefix("deepfake_tfdata.")], [module, *flags])
        for module, *flags in calls[1:]
    ]
    converted, audited, first, first_scored, second, second_scored, *third, compared, judged = configs
    made = converted.conversion
    assert (audited.source, audited.data) == (made.source, made.output)
    folders = [Path(train.workdir) / "evaluation" / "test" for train in (first, second)]
    assert [Path(each.workdir) for each in (first_scored, second_scored)] == [
        Path(each.workdir) for each in (first, second)
    ]
    assert sorted(map(Path, (*compared.first, *compared.second))) == sorted(folders)
    assert folders[0] != folders[1]
    assert [Path(each).name for each in judged.video] == ["002_149.mp4", "002.mp4"]
    if not third:
        assert Path(judged.workdir[0]) / "evaluation" / "test" == Path(compared.first[0])
        return
    trained, _, explained = third
    assert {Path(each.workdir) for each in third} == {Path(judged.workdir[0])}
    assert (trained.input.region, trained.input.view) == ("full", "mouth")
    assert trained.input.frame_size == 2 * made.spec.frame_size
    assert Path(explained.truth) == Path(made.source) / "ground_truth.json"


def test_pretrained_differs_in_the_weights_alone(calls_of):
    calls, _ = calls_of("pretrained")
    assert "--preset=dilution" in calls[0]
    first, second = (set(flags) for module, *flags in calls if module == "deepfake_tfdata.train")
    assert {flag.split("=")[0] for flag in first ^ second} == {"--weights", "--workdir"}
    assert "--weights=imagenet" in first and "--weights=none" in second
    assert "--cache_features" in first
