"""Which runs may go on in a workdir, and what the others are told."""

from dataclasses import replace

import pytest

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import build, flat
from deepfake_tfdata.scoring.runs import Run, write_run
from deepfake_tfdata.scoring.sessions import Session
from deepfake_tfdata.training import TrainConfig
from deepfake_tfdata.training.checkpoints import save_checkpoint
from deepfake_tfdata.training.resume import require_resumable

SESSIONS = (Session(0, "abc", {"keras": "3"}, "CPU"),)


def run_with(spec=ClipSpec(), **changes):  # noqa: B008
    options = {name: value for name, value in changes.items() if name not in Run.__dataclass_fields__}
    run = Run(
        config=flat(build(TrainConfig, options)),
        precision="float32",
        spec=spec.to_dict(),
        spec_hash=spec.hash,
        plan="plan",
        provenance={"layout": "ffpp"},
        data="data",
        clips="clips",
        parameters={"total": 1},
        flops_per_clip=1,
    )
    return replace(run, **{name: value for name, value in changes.items() if name not in options})


@pytest.fixture
def begun(tmp_path):
    """Leaves in a workdir what a run with these changes leaves of itself."""

    def begin(**changes):
        write_run(tmp_path, run_with(**changes, sessions=SESSIONS))
        save_checkpoint(tmp_path / "checkpoints", 1, {}, {})
        return tmp_path

    return begin


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"epochs": 99, "patience": 1, "strategy": "single", "data": "elsewhere", "workdir": "elsewhere"},
        {"spec": ClipSpec(frame_size=64)},  # of native clips only what the detector makes of them
        {"data": "data of another fingerprint", "parameters": {"total": 2}},
    ],
)
def test_the_same_run_goes_on_after_its_sessions(begun, changes):
    assert require_resumable(begun(), run_with(**changes)) == SESSIONS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spec": ClipSpec(num_frames=8)}, "num_frames"),
        ({"provenance": {"layout": "celebdf"}}, r"other data .*layout.*celebdf.*another --workdir"),
        ({"plan": "other"}, "other clips than"),
        ({"clips": "other"}, "other clips than"),
        ({"precision": "mixed_float16"}, "in float32, not mixed_float16; add --precision=float32"),
        ({"clips": "other", "fold": "2/5"}, "with --fold=, not 2/5; choose another --workdir"),
        ({"seed": 3}, "with --seed=0, not 3; choose another --workdir"),
        ({"view": "mouth"}, "with --view=, not mouth; choose another --workdir"),
        ({"finetune_layers": 3}, "with --finetune_layers=0, not 3;"),
        ({"dropout": 0.5}, r"with --dropout=0\.2, not 0\.5;"),
    ],
)
def test_another_run_is_refused_with_what_differs(begun, changes, message):
    with pytest.raises(UserError, match=message):
        require_resumable(begun(), run_with(**changes))


def test_a_run_is_named_by_what_it_looks_at():
    for options, name, folder in (
        ({"region": "full,mouth"}, "full,mouth/control", "runs/full-mouth_control"),
        ({"region": "full", "view": "mouth@0.5"}, "full.mouth@0.5/control", "runs/full_mouth@0.5_control"),
    ):
        assert run_with(head="control", **options).name == name
        assert str(build(TrainConfig, {"head": "control", **options}).folder) == folder


def test_the_epochs_of_a_schedule_stay_as_they_are(begun):
    folder = begun(schedule="cosine")
    assert require_resumable(folder, run_with(schedule="cosine", patience=2)) == SESSIONS
    with pytest.raises(UserError, match="with --epochs=30, not 31"):
        require_resumable(folder, run_with(schedule="cosine", epochs=31))


def test_an_option_that_an_older_run_did_not_know_had_its_default(begun):
    earlier = run_with().config
    del earlier["finetune_layers"]
    folder = begun(config=earlier)
    assert require_resumable(folder, run_with()) == SESSIONS
    with pytest.raises(UserError, match="with --finetune_layers=0, not 1"):
        require_resumable(folder, run_with(finetune_layers=1))


def test_a_run_that_learnt_nothing_yet_may_begin_anew_with_other_options(begun):
    folder = begun()
    (checkpoint,) = (folder / "checkpoints").iterdir()
    checkpoint.unlink()
    assert require_resumable(folder, run_with(seed=3)) == ()
    assert require_resumable(folder / "new", run_with()) == ()
