"""What config.json says of the processes that trained a run."""

import json
import subprocess
from dataclasses import replace

import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import flat
from deepfake_tfdata.scoring import sessions
from deepfake_tfdata.scoring.runs import Run, read_run, write_run
from deepfake_tfdata.scoring.sessions import Session, continued, describe_sessions, this_session
from deepfake_tfdata.training.config import TrainConfig

FIRST = Session(0, "aaa", {"keras": "3.12.0"}, "1 x CPU")
SECOND = Session(120, "bbb+", {"keras": "3.12.0"}, "2 x NVIDIA L4")
RUN = Run(flat(TrainConfig()), "float32", {}, "", "", {}, "", "", {}, 0, (FIRST, SECOND))


def test_a_run_keeps_its_sessions(tmp_path):
    write_run(tmp_path, RUN)
    assert read_run(tmp_path) == RUN


def test_what_comes_after_the_step_that_a_session_goes_on_from_is_forgotten():
    third = replace(SECOND, step=240)
    assert continued((), FIRST) == (FIRST,)
    assert continued((FIRST, SECOND), third) == (FIRST, SECOND, third)
    assert continued((FIRST, SECOND, third), replace(SECOND, devices="8 x TPU")) == (
        FIRST,
        replace(SECOND, devices="8 x TPU"),
    )


def test_a_report_says_what_changed_and_when():
    assert describe_sessions((FIRST, replace(FIRST, step=60), SECOND)) == {
        "revision": "aaa, from step 120 on bbb+",
        "devices": "1 x CPU, from step 120 on 2 x NVIDIA L4",
        "keras": "3.12.0",
    }
    unknown = replace(FIRST, revision="")
    assert describe_sessions((unknown,))["revision"] == "unknown"
    assert describe_sessions((FIRST, replace(unknown, step=60)))["revision"] == "aaa, from step 60 on unknown"


def test_a_package_that_counts_only_since_a_later_session_is_there():
    later = replace(FIRST, step=60, versions={"jax": "0.5", "keras": "3.12.0"})
    for trained, expected in (
        ((FIRST, later), "unknown, from step 60 on 0.5"),
        ((replace(later, step=0), replace(FIRST, step=60)), "0.5, from step 60 on unknown"),
    ):
        assert describe_sessions(trained)["jax"] == expected


def test_the_revision_is_of_this_codes_checkout_wherever_it_is_called(tmp_path, monkeypatch):
    def git(*arguments):
        who = ("-c", "user.name=me", "-c", "user.email=me@localhost", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *who, *arguments], cwd=code, check=True, capture_output=True, text=True)

    code = tmp_path / "checkout"
    code.mkdir()
    monkeypatch.setattr(sessions, "__file__", str(code / "sessions.py"))
    assert sessions.git_revision() == ""
    (code / "sessions.py").touch()
    for arguments in (["init"], ["add", "."], ["commit", "-m", "first"], ["tag", "-a", "v1", "-m", "a tag"]):
        git(*arguments)
    commit = git("rev-parse", "HEAD").stdout[:12]
    assert sessions.git_revision() == commit
    (code / "sessions.py").write_text("changed")
    assert sessions.git_revision() == f"{commit}+"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sessions.git_revision() == ""


def test_this_process_has_a_version_of_everything():
    session = this_session(3, "1 x CPU")
    assert (session.step, session.devices) == (3, "1 x CPU")
    assert all(
        session.versions[name] for name in ("python", "tensorflow", "keras", "numpy", "deepfake-tfdata")
    )


def test_a_folder_without_a_run_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(
        UserError, match=f"no trained model in {tmp_path}; run '.*train --workdir={tmp_path}'"
    ):
        read_run(tmp_path)


def test_a_file_of_a_version_without_sessions_is_refused_in_one_line(tmp_path):
    write_run(tmp_path, RUN)
    values = json.loads((tmp_path / "config.json").read_text())
    del values["sessions"]
    (tmp_path / "config.json").write_text(json.dumps({**values, "revision": "aaa", "versions": {}}))
    with pytest.raises(UserError, match="damaged or of another version; train again"):
        read_run(tmp_path)
