"""One shard: whether it is complete, and how it is written, whichever runner does the work."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

import tensorflow as tf

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.files import atomic_path
from deepfake_tfdata.records.example import encode_example
from deepfake_tfdata.records.ledger import LedgerEntry, write_ledger_part
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.records.workers import Outcome
from deepfake_tfdata.storage import AnyPath

OnVideo = Callable[[LedgerEntry], None]


def is_complete(
    shard: ShardPlan, regions: Sequence[str], output: AnyPath, entries: dict[str, LedgerEntry]
) -> bool:
    """Whether the shard's file exists for every region and the ledger has all of its videos."""
    known = all(video.key in entries for video in shard.videos)
    return known and all((output / region / shard.file_name(region)).is_file() for region in regions)


def write_shard(
    shard: ShardPlan,
    regions: Sequence[str],
    output: AnyPath,
    outcomes: Iterable[tuple[Video, Outcome]],
    on_video: OnVideo,
) -> None:
    """Writes one shard of every region, and then its part of the ledger.

    Args:
        shard: its plan.
        regions: names; each has a folder in output.
        output: the folder of records.
        outcomes: of the shard's videos, in its order.
        on_video: called after each video.
    """
    entries = []
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
            for video, outcome in outcomes:
                for region, clips in outcome.processed.clips.items():
                    for clip in clips:
                        writers[region].write(encode_example(clip))
                entries.append(_entry(video, outcome))
                on_video(entries[-1])
        # Before the shards get their final names: a shard is complete only if the ledger knows its videos.
        write_ledger_part(output, f"{shard.split}-{shard.index:05d}", entries)


def _entry(video: Video, outcome: Outcome) -> LedgerEntry:
    processed, seconds = outcome.processed, round(outcome.seconds, 3)
    return LedgerEntry(
        video.key, outcome.status, outcome.reason, processed.num_clips, seconds, processed.faces
    )
