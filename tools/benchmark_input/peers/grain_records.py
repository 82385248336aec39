"""Grain over ArrayRecord files: a record a clip, decoded with simplejpeg in worker processes."""

import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from tools.benchmark_input.peers.decoders import decoder_named
from tools.benchmark_input.source import Source

_FILE = "clips.array_record"


def write(clips: Iterable[list[bytes]], folder: Path) -> None:
    """One record a group, as Grain's documentation recommends for random access."""
    from array_record.python.array_record_module import ArrayRecordWriter

    writer = ArrayRecordWriter(str(folder / _FILE), "group_size:1,uncompressed")
    for frames in clips:
        writer.write(pickle.dumps(frames))
    writer.close()


def batches(source: Source) -> Iterator[np.ndarray]:
    """A MapDataset read by threads in a worker process a core."""
    import grain
    from absl import flags

    flags.FLAGS.mark_as_parsed()  # its workers read flags of their own
    decode = decoder_named("simplejpeg")
    clips = (
        grain.MapDataset.source(grain.sources.ArrayRecordDataSource([str(source.folder / _FILE)]))
        .repeat()
        .map(lambda record: np.stack([decode(frame) for frame in pickle.loads(record)]))
        .batch(source.batch_size)
        .to_iter_dataset()
        .mp_prefetch(grain.MultiprocessingOptions(num_workers=source.cores))
    )
    yield from clips
