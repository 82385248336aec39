"""Whether a run may go on in a workdir."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from deepfake_tfdata.clips.spec import ClipSpec, differences, require_same_spec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import all_options
from deepfake_tfdata.scoring.runs import CONFIG_FILE, Run, read_run
from deepfake_tfdata.scoring.sessions import Session
from deepfake_tfdata.training.checkpoints import CHECKPOINTS, list_checkpoints
from deepfake_tfdata.training.config import TrainConfig


def require_resumable(workdir: Path, run: Run) -> tuple[Session, ...]:
    """Refuses to go on in a workdir that was made with other clips or other options.

    Returns:
        The sessions that trained there; none where there is nothing to go on with.

    Raises:
        UserError: it names what differs.
    """
    if not (workdir / CONFIG_FILE).is_file():
        return ()
    if not list_checkpoints(workdir / CHECKPOINTS):
        return ()  # it ended before anything was learnt, perhaps for a flag that is now put right
    earlier = read_run(workdir)
    data = run.config["data"]
    before, now = (ClipSpec.from_dict(each.spec).seen for each in (earlier, run))
    require_same_spec(before, now, f"the run in {workdir}", f"the records in {data}")
    if shown := differences(earlier.provenance, run.provenance):
        raise UserError(
            f"{workdir} was trained on other data than {data} holds ({shown}); choose another --workdir"
        )
    if earlier.precision != run.precision:
        raise UserError(
            f"{workdir} was trained in {earlier.precision}, not {run.precision}; "
            f"add --precision={earlier.precision}"
        )
    # A schedule is as long as the epochs are.
    fixed = set() if run.config["schedule"] == "constant" else {"epochs"}
    require_same_options(workdir, earlier.config, run.config, fixed)
    # After the options, which may be why: a fold or a region has other clips.
    if (earlier.plan, earlier.clips) != (run.plan, run.clips):
        raise UserError(f"{workdir} was trained on other clips than {data} holds; choose another --workdir")
    return earlier.sessions


def require_same_options(
    workdir: Path, earlier: Mapping[str, Any], now: Mapping[str, Any], fixed: Collection[str]
) -> None:
    """Refuses other options than a run was trained with.

    Args:
        workdir: of the run.
        earlier, now: the values by name.
        fixed: options that may not change here, though they may elsewhere.

    Raises:
        UserError: it names the first that differs.
    """
    for each in all_options(TrainConfig):
        before = earlier.get(each.name, each.default)
        if before != now[each.name] and (not each.may_change or each.name in fixed):
            raise UserError(
                f"{workdir} was trained with --{each.name}={before}, not {now[each.name]}; choose another "
                "--workdir"
            )
