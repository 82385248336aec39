"""A keras.utils.PyDataset over a decoded .npy file a clip: a common way, and a large one."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tools.benchmark_input.source import Source

# Batches of an epoch that no measurement sees the end of.
_MANY = 1_000_000


def write(clips: Iterable[list[bytes]], folder: Path) -> None:
    """Decodes the frames and saves them."""
    from PIL import Image

    for index, frames in enumerate(clips):
        images = [np.asarray(Image.open(io.BytesIO(frame))) for frame in frames]
        np.save(folder / f"{index:05d}.npy", np.stack(images))


def batches(source: Source) -> Iterator[Any]:
    """Batches as `fit` takes them: through its adapter, a queue that a thread a core fills, and tf.data."""
    import keras
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    files = sorted(source.folder.iterdir())

    class Clips(keras.utils.PyDataset):
        def __len__(self) -> int:
            return _MANY

        def __getitem__(self, index: int) -> tuple[np.ndarray]:
            first = index * source.batch_size
            names = (files[(first + i) % len(files)] for i in range(source.batch_size))
            return (np.stack([np.load(name) for name in names]),)

    for (frames,) in PyDatasetAdapter(Clips(workers=source.cores)).get_tf_dataset():
        yield frames
