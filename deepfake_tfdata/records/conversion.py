"""A conversion as a whole: find the videos, plan the shards, fill them, describe them."""

import dataclasses
import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from deepfake_tfdata.clips.spec import require_same_spec
from deepfake_tfdata.clips.video import with_originals
from deepfake_tfdata.clips.video_selection import Selection, select_videos
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
from deepfake_tfdata.records.options import ConversionConfig
from deepfake_tfdata.records.output import exclusive, explained_write_errors
from deepfake_tfdata.records.plan import TARGET_SHARD_BYTES, ShardPlan, plan_shards, shard_name
from deepfake_tfdata.records.retry import discard_failed, require_all_regions
from deepfake_tfdata.records.shard_writer import OnVideo, is_complete
from deepfake_tfdata.records.workers import Work
from deepfake_tfdata.storage import AnyPath, as_path


@dataclass(frozen=True)
class ConversionJob:
    """A conversion ready to run.

    Attributes:
        config: what was asked for.
        output: the folder of records.
        selection: the videos and their splits.
        shards: the plan.
        conversion: what conversion.json says until the work is done.
    """

    config: ConversionConfig
    output: AnyPath
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
    output = as_path(config.output)
    selection = _select(config)
    videos = with_originals(selection.videos) if config.spec.share_tracks else selection.videos
    shards = plan_shards(
        videos, selection.assignment.splits, config.spec, config.execution.limit, shard_bytes
    )
    conversion = Conversion(
        spec=config.spec.to_dict(),
        spec_hash=config.spec.hash,
        regions=list(config.regions),
        source={
            "layout": selection.layout,
            "compression": config.selection.compression,
            "splits": selection.split_by,
            "left_out": dict(Counter(selection.assignment.left_out.values())),
        },
        plan=_fingerprint(shards),
        complete=False,
        counts={},
        versions=package_versions(),
    )
    with explained_write_errors(output):
        conversion = _continue(output, conversion)
    if config.execution.retry_failed:
        require_all_regions(config.regions, conversion.regions)
    return ConversionJob(config, output, selection, shards, conversion)


def run_conversion(job: ConversionJob, work: Work, on_video: OnVideo) -> Conversion:
    """Fills the shards that are missing and writes what describes them.

    Args:
        job: from plan_conversion.
        work: from a video to its clips by region, run in worker processes.
        on_video: called with every ledger entry.

    Raises:
        UserError: no video at all could be used, the output can't be written, or another process does so.
    """
    config, output = job.config, job.output
    with explained_write_errors(output), exclusive(output):
        # Again, now that no other process can change it.
        started = _continue(output, job.conversion)
        write_conversion(output, started)
        if config.execution.retry_failed:
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
    config, output = job.config, job.output
    done = read_ledger(output)
    counts = {region: _clips_by_shard(output / region) for region in config.regions}
    missing = []
    for shard in job.shards:
        if not is_complete(shard, config.regions, output, done, counts):
            missing.append(shard)
            continue
        for video in shard.videos:
            on_video(done[video.key])
    if config.execution.runner == "beam":
        from deepfake_tfdata.records import beam

        beam.fill_shards(missing, config.regions, output, work, config.execution.beam_options, on_video)
    else:
        local.fill_shards(missing, config.regions, output, work, config.execution.workers, on_video)
    entries = read_ledger(output)
    ordered = {video.key: entries[video.key] for shard in job.shards for video in shard.videos}
    for region in config.regions:
        write_index(output / region, read_index(output / region))
    write_ledger(output, ordered.values())
    return ordered


def _clips_by_shard(folder: AnyPath) -> Counter[str]:
    return Counter(shard_name(clip.split, clip.shard) for clip in read_index(folder))


def _select(config: ConversionConfig) -> Selection:
    try:
        return select_videos(as_path(config.source), config.selection)
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
