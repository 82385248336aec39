"""Grain over ArrayRecord files: a record a clip, decoded with simplejpeg in worker processes."""

import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from tools.benchmark_input.peers.decoders import decode_clip, decoder_named
from tools.benchmark_input.source import Source

_FILE = "clips.array_record"
# A worker's threads, and batches ready ahead. The defaults, 16 and 500, are for small elements: they would
# hold 19 GB of clips.
_READ = {"num_threads": 2, "prefetch_buffer_size": 2}


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
        .map(lambda record: decode_clip(decode, pickle.loads(record), source.frame_shape))
        .batch(source.batch_size)
        .to_iter_dataset(grain.ReadOptions(**_READ))
        .mp_prefetch(grain.MultiprocessingOptions(num_workers=source.cores))
    )
    yield from clips
