"""This project's pipeline, as `evaluate` calls it: in order, without augmentation."""

from collections.abc import Iterator
from typing import Any

from tools.benchmark_input.source import Source


def batches(source: Source) -> Iterator[Any]:
    """The frames of `load_clips`."""
    from deepfake_tfdata import load_clips

    clips = load_clips(source.folder, source.region, "train", source.batch_size, num_epochs=None)
    for features, _ in clips:
        yield features["frames"]
