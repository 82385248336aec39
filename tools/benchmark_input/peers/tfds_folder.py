"""TensorFlow Datasets on the folder that `convert` wrote."""

from collections.abc import Iterator
from typing import Any

from tools.benchmark_input.source import Source


def batches(source: Source) -> Iterator[Any]:
    """TFDS decodes by itself; batched and prefetched as its guide to performance says."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(source.folder / source.region)
    # Left to itself it would keep so small a data set in memory, decoded, and measure that.
    read_config = tfds.ReadConfig(try_autocache=False)
    clips = builder.as_dataset(split="train", read_config=read_config).repeat()
    for features in clips.batch(source.batch_size).prefetch(tf.data.AUTOTUNE):
        yield features["frames"]
