"""A conversion as a whole: find the videos, plan the shards, fill them, describe them."""

import dataclasses
import hashlib
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from deepfake_tfdata.clips.regions import region_named
from deepfake_tfdata.clips.selection import Selection, select_videos
from deepfake_tfdata.clips.spec import ClipSpec, require_same_spec
from deepfake_tfdata.clips.video import with_originals
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records import local
from deepfake_tfdata.records.index import read_index, write_index
from deepfake_tfdata.records.ledger import OK, LedgerEntry, read_ledger, write_ledger
from deepfake_tfdata.records.metadata import (
    CONVERSION_FILE,
    Conversion,
    count_videos,
    package_versions,
    read_conversion,
    write_conversion,
    write_tfds_metadata,
)
from deepfake_tfdata.records.output import exclusive, explained_write_errors
from deepfake_tfdata.records.plan import TARGET_SHARD_BYTES, ShardPlan, plan_shards, shard_name
from deepfake_tfdata.records.retry import discard_failed, require_all_regions
from deepfake_tfdata.records.shards import OnVideo, is_complete
from deepfake_tfdata.records.workers import Work
from deepfake_tfdata.storage import AnyPath

RUNNERS = ("local", "beam")


@dataclass(frozen=True)
class ConversionConfig:
    """What to convert, how, and where to; the fields are the flags of `convert`."""

    source: AnyPath
    output: AnyPath
    spec: ClipSpec
    regions: tuple[str, ...]
    layout: str
    compression: str
    manipulations: tuple[str, ...] | None
    splits: str | None
    conversion_dict: AnyPath | None
    strict_split: bool
    workers: int
    limit: int | None
    runner: str = "local"
    beam_options: str = ""
    retry_failed: bool = False


@dataclass(frozen=True)
class ConversionJob:
    """A conversion ready to run.

    Attributes:
        config: what was asked for.
        selection: the videos and their splits.
        shards: the plan.
        conversion: what conversion.json says until the work is done.
    """

    config: ConversionConfig
    selection: Selection
    shards: list[ShardPlan]
    conversion: Conversion

    @property
    def num_videos(self) -> int:
        """How many videos the plan has."""
        return sum(len(shard.videos) for shard in self.shards)


def plan_conversion(config: ConversionConfig, shard_bytes: int = TARGET_SHARD_BYTES) -> ConversionJob:
    """Finds the videos, divides them into splits and shards, and checks what the output folder already has.

    Args:
        config: what to convert.
        shard_bytes: about how large a shard gets.

    Raises:
        UserError: nothing can be converted as asked, or the output was made with another spec or source.
    """
    _check(config)
    selection = _select(config)
    videos = with_originals(selection.videos) if config.spec.share_tracks else selection.videos
    shards = plan_shards(videos, selection.assignment.splits, config.spec, config.limit, shard_bytes)
    conversion = Conversion(
        spec=config.spec.to_dict(),
        spec_hash=config.spec.hash,
        regions=list(config.regions),
        source={
            "layout": selection.layout,
            "compression": config.compression,
            "splits": selection.split_by,
            "left_out": dict(Counter(selection.assignment.left_out.values())),
        },
        plan=_fingerprint(shards),
        complete=False,
        counts={},
        versions=package_versions(),
    )
    with explained_write_errors(config.output):
        conversion = _continue(config.output, conversion)
    if config.retry_failed:
        require_all_regions(config.regions, conversion.regions)
    return ConversionJob(config, selection, shards, conversion)


def run_conversion(job: ConversionJob, work: Work, on_video: OnVideo) -> Conversion:
    """Fills the shards that are missing and writes what describes them.

    Args:
        job: from plan_conversion.
        work: from a video to its clips by region, run in worker processes.
        on_video: called with every ledger entry.

    Raises:
        UserError: no video at all could be used, the output can't be written, or another process does so.
    """
    config, output = job.config, job.config.output
    with explained_write_errors(output), exclusive(output):
        # Again, now that no other process can change it.
        started = _continue(output, job.conversion)
        write_conversion(output, started)
        if config.retry_failed:
            discard_failed(job.shards, config.regions, output, read_ledger(output))
        entries = _fill(job, work, on_video)
        for region in config.regions:
            write_tfds_metadata(output / region, region, config.spec, job.shards, entries)
        conversion = dataclasses.replace(started, complete=True, counts=count_videos(job.shards, entries))
        write_conversion(output, conversion)
    if not any(entry.status == OK for entry in entries.values()):
        reason = next(iter(entries.values())).reason
        raise UserError(f"none of {len(entries)} videos could be used (the first: {reason}); see the ledger")
    return conversion


def _fill(job: ConversionJob, work: Work, on_video: OnVideo) -> dict[str, LedgerEntry]:
    """Writes the shards that are not complete and the ledger; the entries by video, in the plan's order.

    Whatever an interrupted run left of a shard is done again, so the result does not depend on interruptions.
    """
    config, output = job.config, job.config.output
    done = read_ledger(output)
    counts = {region: _clips_by_shard(output / region) for region in config.regions}
    missing = []
    for shard in job.shards:
        if not is_complete(shard, config.regions, output, done, counts):
            missing.append(shard)
            continue
        for video in shard.videos:
            on_video(done[video.key])
    if config.runner == "beam":
        from deepfake_tfdata.records import beam

        beam.fill_shards(missing, config.regions, output, work, config.beam_options, on_video)
    else:
        local.fill_shards(missing, config.regions, output, work, config.workers, on_video)
    entries = read_ledger(output)
    ordered = {video.key: entries[video.key] for shard in job.shards for video in shard.videos}
    for region in config.regions:
        write_index(output / region, read_index(output / region))
    write_ledger(output, ordered.values())
    return ordered


def _clips_by_shard(folder: AnyPath) -> Counter[str]:
    return Counter(shard_name(clip.split, clip.shard) for clip in read_index(folder))


def _check(config: ConversionConfig) -> None:
    if not config.regions:
        raise UserError("--regions is empty; name at least one")
    for name, times in Counter(config.regions).items():
        region_named(name)
        if times > 1:
            raise UserError(f"--regions={','.join(config.regions)} has {name} {times} times; name it once")
    if config.runner not in RUNNERS:
        raise UserError(f"--runner={config.runner} is unknown; choose from {', '.join(RUNNERS)}")
    if config.runner == "beam" and find_spec("apache_beam") is None:
        raise UserError("--runner=beam needs Apache Beam; install 'deepfake-tfdata[beam]'")
    if config.beam_options and config.runner != "beam":
        raise UserError(f"--beam_options='{config.beam_options}' needs --runner=beam")
    for flag, value in (("workers", config.workers), ("limit", config.limit)):
        if value is not None and value < 1:
            raise UserError(f"--{flag}={value} is out of range; use 1 or more")


def _select(config: ConversionConfig) -> Selection:
    try:
        return select_videos(
            config.source,
            config.layout,
            config.compression,
            config.manipulations,
            config.splits,
            config.conversion_dict,
            config.strict_split,
        )
    except OSError as error:
        place = error.filename or config.source
        raise UserError(f"can't read {place}: {error.strerror or error}; check --source") from error


def _continue(output: AnyPath, conversion: Conversion) -> Conversion:
    """The conversion joined with what an earlier run left in the output folder."""
    if not (output / CONVERSION_FILE).is_file():
        return conversion
    earlier = read_conversion(output)
    require_same_spec(earlier.spec, conversion.spec, f"the records in {output}", "this command")
    if earlier.plan != conversion.plan:
        raise UserError(
            f"{output} holds a conversion of other videos or splits; choose another --output, or delete it"
        )
    regions = [*earlier.regions, *(name for name in conversion.regions if name not in earlier.regions)]
    return dataclasses.replace(conversion, regions=regions)


def _fingerprint(shards: list[ShardPlan]) -> str:
    """Changes whenever a video, its label or its place does."""
    lines: list[Any] = [
        (shard.split, shard.index, shard.count, video.key, video.label, video.target_id, video.source_id)
        for shard in shards
        for video in shard.videos
    ]
    return hashlib.sha256(repr(lines).encode()).hexdigest()[:12]
