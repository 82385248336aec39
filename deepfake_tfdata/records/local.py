"""The local runner: fills the planned shards with the clips of worker processes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import tensorflow as tf

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.files import atomic_path
from deepfake_tfdata.records.example import encode_example
from deepfake_tfdata.records.ledger import LedgerEntry, append_ledger, read_ledger, write_ledger
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.records.workers import Outcome, Work, process_in_order

# Ten minutes of 1080p decode in less; what takes longer hangs.
TIME_LIMIT_SECONDS = 600.0


def fill_shards(
    plan: Sequence[ShardPlan],
    regions: Sequence[str],
    output: Path,
    work: Work,
    workers: int,
    on_video: Callable[[LedgerEntry], None],
) -> dict[str, LedgerEntry]:
    """Writes every shard that is missing, in order, and the ledger.

    A shard is complete when its file exists for every region and the ledger has all of its videos. Whatever
    an interrupted run left of another shard is done again, so the result does not depend on interruptions.

    Args:
        plan: all shards.
        regions: names; each has a folder in output.
        output: the folder of records.
        work: from a video to its clips by region.
        workers: processes.
        on_video: called after each video, and at once for those done before.

    Returns:
        The ledger's entries by video key.
    """
    entries = read_ledger(output)
    missing = [shard for shard in plan if not _is_complete(shard, regions, output, entries)]
    redone = {video.key for shard in missing for video in shard.videos}
    entries = {key: entry for key, entry in entries.items() if key not in redone}
    write_ledger(output, entries.values())
    for entry in entries.values():
        on_video(entry)
    videos = [video for shard in missing for video in shard.videos]
    outcomes = process_in_order(videos, work, workers, TIME_LIMIT_SECONDS)
    for shard in missing:
        entries.update(_fill_shard(shard, regions, output, outcomes, on_video))
    ordered = {video.key: entries[video.key] for shard in plan for video in shard.videos}
    write_ledger(output, ordered.values())
    return ordered


def _fill_shard(
    shard: ShardPlan,
    regions: Sequence[str],
    output: Path,
    outcomes: Iterator[tuple[Video, Outcome]],
    on_video: Callable[[LedgerEntry], None],
) -> dict[str, LedgerEntry]:
    entries = {}
    with ExitStack() as stack:
        paths = {
            region: stack.enter_context(atomic_path(output / region / shard.file_name(region)))
            for region in regions
        }
        with ExitStack() as writing:
            writers = {
                region: writing.enter_context(tf.io.TFRecordWriter(str(path)))
                for region, path in paths.items()
            }
            for _ in shard.videos:
                video, outcome = next(outcomes)
                for region, clips in outcome.processed.clips.items():
                    for clip in clips:
                        writers[region].write(encode_example(clip))
                entries[video.key] = _entry(video, outcome)
                on_video(entries[video.key])
        # Before the shards get their final names: a shard is complete only if the ledger knows its videos.
        append_ledger(output, entries.values())
    return entries


def _is_complete(
    shard: ShardPlan, regions: Sequence[str], output: Path, entries: dict[str, LedgerEntry]
) -> bool:
    written = all((output / region / shard.file_name(region)).is_file() for region in regions)
    return written and all(video.key in entries for video in shard.videos)


def _entry(video: Video, outcome: Outcome) -> LedgerEntry:
    processed, seconds = outcome.processed, round(outcome.seconds, 3)
    return LedgerEntry(
        video.key, outcome.status, outcome.reason, processed.num_clips, seconds, processed.faces
    )
