"""WebDataset: tar shards, decoded with Pillow by its own decoder, batched inside the workers."""

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tools.benchmark_input.source import Source

# Every worker reads shards of its own, so there must be as many; 8 serve up to 8 workers.
_SHARDS = 8
# Epochs that no measurement sees the end of.
_MANY = 10_000


def write(clips: Iterable[list[bytes]], folder: Path) -> None:
    """A sample a clip: the files 00000.0000.jpg to 00000.0031.jpg."""
    shards = [tarfile.open(folder / f"clips-{index:06d}.tar", "w") for index in range(_SHARDS)]  # noqa: SIM115
    for index, frames in enumerate(clips):
        for number, frame in enumerate(frames):
            member = tarfile.TarInfo(f"{index:05d}.{number:04d}.jpg")
            member.size = len(frame)
            shards[index % _SHARDS].addfile(member, io.BytesIO(frame))
    for shard in shards:
        shard.close()


def batches(source: Source) -> Iterator[Any]:
    """Decoding and batching in the data set, and a WebLoader that hands the batches on."""
    import webdataset

    files = [str(file) for file in sorted(source.folder.iterdir()) if tarfile.is_tarfile(file)]
    clips = (
        webdataset.WebDataset(files * _MANY, shardshuffle=False, empty_check=False)
        .decode("rgb8")
        .map(lambda sample: (np.stack([sample[f"{number:04d}.jpg"] for number in range(source.num_frames)]),))
        .batched(source.batch_size, partial=False)
    )
    workers = min(_SHARDS, max(2, source.cores))
    for (frames,) in webdataset.WebLoader(clips, batch_size=None, num_workers=workers):
        yield frames
