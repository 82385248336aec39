"""A conversion carried out: the shards filled and described."""

import dataclasses
from functools import partial

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records import local
from deepfake_tfdata.records.completeness import split_by_completeness
from deepfake_tfdata.records.continuation import continued
from deepfake_tfdata.records.face_sizes import summarise_face_sizes
from deepfake_tfdata.records.index import read_index, write_index
from deepfake_tfdata.records.job import ConversionJob
from deepfake_tfdata.records.ledger import OK, LedgerEntry, read_ledger, write_ledger
from deepfake_tfdata.records.metadata import (
    Conversion,
    count_videos,
    write_conversion,
    write_tfds_metadata,
)
from deepfake_tfdata.records.output import exclusive, explained_write_errors
from deepfake_tfdata.records.provenance import Provenance
from deepfake_tfdata.records.retry import discard_failed
from deepfake_tfdata.records.shard_writer import OnVideo
from deepfake_tfdata.records.source_content import with_content
from deepfake_tfdata.records.worker import Work


def run_conversion(job: ConversionJob, work: Work, on_video: OnVideo) -> Conversion:
    """Fills the shards that are missing and writes what describes them.

    A shard that lacks a region is written again in all of them. So all have the same clips always, also where
    a video's fate has changed since.

    Args:
        job: from plan_conversion.
        work: from a video to its clips in every region of the job, run in worker processes.
        on_video: called with every ledger entry.

    Raises:
        UserError: no video at all could be used, the output can't be written, or another process does so.
    """
    config, output = job.config, job.output
    with explained_write_errors(output), exclusive(output):
        # Again, now that no other process can change it.
        started = continued(output, job.conversion)
        if started.regions != job.regions:
            raise UserError(f"another process has just converted into {output}; run the same command again")
        write_conversion(output, started)
        if config.execution.retry_failed:
            discard_failed(job.shards, job.regions, output, read_ledger(output))
        entries = _fill(job, work, on_video)
        for region in job.regions:
            write_tfds_metadata(output / region, region, job.spec, job.shards, entries)
        provenance = Provenance(**started.provenance).with_sources(entries.values())
        face_sizes = summarise_face_sizes(job.shards, entries, job.spec, started.regions)
        conversion = dataclasses.replace(
            started,
            provenance=provenance.to_dict(),
            complete=True,
            counts=count_videos(job.shards, entries),
            face_sizes=dataclasses.asdict(face_sizes) if face_sizes else {},
        )
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
    complete, missing = split_by_completeness(job.shards, job.regions, output, done)
    for video in (video for shard in complete for video in shard.videos):
        on_video(done[video.key])
    work = partial(with_content, work)
    if config.execution.runner == "beam":
        from deepfake_tfdata.records import beam

        beam.fill_shards(missing, job.regions, output, work, config.execution.beam_options, on_video)
    else:
        local.fill_shards(missing, job.regions, output, work, config.execution.workers, on_video)
    entries = read_ledger(output)
    ordered = {video.key: entries[video.key] for shard in job.shards for video in shard.videos}
    for region in job.regions:
        write_index(output / region, read_index(output / region))
    write_ledger(output, ordered.values())
    return ordered
