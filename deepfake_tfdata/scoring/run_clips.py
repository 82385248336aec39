"""The clips that a run is applied to: of a split of its own data, or of other records of the same spec."""

from dataclasses import replace
from pathlib import Path

from deepfake_tfdata.clips.spec import ClipSpec, require_same_spec
from deepfake_tfdata.input.batches import find_split
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.input.shards import Shards
from deepfake_tfdata.scoring.runs import Run


def options_of_run(run: Run, data: str = "", batch_size: int = 0) -> InputOptions:
    """How a run read its clips, with its frame size; from other records or in other batches, if so asked."""
    return replace(
        run.input,
        data=data or run.input.data,
        batch_size=batch_size or run.input.batch_size,
        frame_size=run.input.frame_size or ClipSpec.from_dict(run.spec).frame_size,
    )


def clips_for_run(run: Run, workdir: Path, options: InputOptions, split: str) -> Shards:
    """The clips of a split.

    Args:
        run: that they are for.
        workdir: of it, for a message.
        options: from `options_of_run`.
        split: train, val or test.

    Raises:
        UserError: no records, or records of another spec.
    """
    shards = find_split(options, split)
    require_same_spec(
        ClipSpec.from_dict(run.spec).seen,
        shards.spec.seen,
        f"the run in {workdir}",
        f"the records in {options.data}",
    )
    return shards


def result_name(run: Run, shards: Shards) -> str:
    """What a result on a split is called in the run's folder: other data's must not pass for its own."""
    own = shards.conversion.identity == run.data
    return shards.split if own else f"{shards.split}-{shards.conversion.identity}"
