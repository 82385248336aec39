"""How one shard is written, whichever runner does the work."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

import tensorflow as tf

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.files import atomic_path
from deepfake_tfdata.records.example import encode_example
from deepfake_tfdata.records.index import IndexedClip, indexed, write_index_part
from deepfake_tfdata.records.ledger import LedgerEntry, write_ledger_part
from deepfake_tfdata.records.outcome import Outcome
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.storage import AnyPath

OnVideo = Callable[[LedgerEntry], None]


def write_shard(
    shard: ShardPlan,
    regions: Sequence[str],
    output: AnyPath,
    outcomes: Iterable[tuple[Video, Outcome]],
    on_video: OnVideo,
) -> None:
    """Writes one shard of every region, its part of every region's index, and its part of the ledger.

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
                region: ShardWriter(shard, writing.enter_context(tf.io.TFRecordWriter(str(path))))
                for region, path in paths.items()
            }
            for video, outcome in outcomes:
                for region, clips in outcome.processed.clips.items():
                    for clip in clips:
                        writers[region].write(clip)
                entries.append(_entry(video, outcome))
                on_video(entries[-1])
        # Index and ledger before the shards get their final names: what is killed in between is not complete,
        # if no older file stands there.
        for region in regions:
            (output / region / shard.file_name(region)).unlink(missing_ok=True)
        for region, writer in writers.items():
            write_index_part(output / region, shard.name, writer.index)
        write_ledger_part(output, shard.name, entries)


class ShardWriter:
    """Writes records one after another and keeps the index of them.

    Args:
        shard: its plan.
        file: to write to.
    """

    def __init__(self, shard: ShardPlan, file: tf.io.TFRecordWriter) -> None:
        self.index: list[IndexedClip] = []
        self._shard, self._file = shard, file

    def write(self, clip: Clip) -> None:
        """Writes a clip."""
        record = encode_example(clip)
        self._file.write(record)
        offset = self.index[-1].end if self.index else 0
        self.index.append(indexed(clip, self._shard.split, self._shard.index, offset, len(record)))


def _entry(video: Video, outcome: Outcome) -> LedgerEntry:
    processed = outcome.processed
    return LedgerEntry(
        video=video.key,
        status=outcome.status,
        reason=outcome.reason,
        clips=processed.num_clips,
        seconds=round(outcome.seconds, 3),
        content=processed.content,
        faces=processed.faces,
    )
