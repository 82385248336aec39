"""What a user may choose of a conversion."""

import shlex
from dataclasses import dataclass
from importlib.util import find_spec

from deepfake_tfdata.clips.regions import DEFAULT_REGIONS, REGIONS, region_named
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video_selection import SelectionOptions
from deepfake_tfdata.cores import available_cores
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, group, option


@dataclass(frozen=True)
class ExecutionOptions(Options):
    """How the work is done."""

    workers: int = option(available_cores(), "processes", low=1)
    limit: int | None = option(None, "convert that many videos only, for a trial", low=1)
    # Large enough for few files, small enough that an interrupted run repeats minutes and not hours.
    shard_mib: float = option(256.0, "about how large a shard gets, MiB", low=0.001, high=4096)
    runner: str = option("local", "where videos are processed", choices=("local", "beam"))
    beam_options: str = option("", "of the Beam pipeline, such as '--runner=DataflowRunner --project=p'")
    retry_failed: bool = option(
        False,
        "try videos again that an earlier run could not read or that crashed or timed out; their shards are "
        "written again as a whole",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.runner == "beam" and find_spec("apache_beam") is None:
            raise UserError("--runner=beam needs Apache Beam; install 'deepfake-tfdata[beam]'")
        if self.beam_options and self.runner != "beam":
            raise UserError(f"--beam_options='{self.beam_options}' needs --runner=beam")
        try:
            shlex.split(self.beam_options)
        except ValueError as error:
            raise UserError(f"--beam_options={self.beam_options} can't be read: {error}") from None


@dataclass(frozen=True)
class ConversionConfig(Options):
    """What to convert, how, and where to."""

    source: str = option(
        meaning="folder with the videos, or a CSV file that lists them; or its URL", is_path=True
    )
    output: str = option(meaning="folder for the records, or its URL", is_path=True)
    regions: tuple[str, ...] = option(DEFAULT_REGIONS, f"to cut, out of {', '.join(REGIONS)}")
    selection: SelectionOptions = group(SelectionOptions)
    spec: ClipSpec = group(ClipSpec)
    execution: ExecutionOptions = group(ExecutionOptions)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.regions:
            raise UserError("--regions is empty; name at least one")
        for name in self.regions:
            region_named(name)
        if self.selection.conversion_dict and not self.selection.strict_split:
            raise UserError(
                f"--conversion_dict={self.selection.conversion_dict} has no effect without --strict_split; "
                "add it"
            )
