"""libjpeg-turbo and nothing else: frames from memory, one after another, into one array.

The decoders of `decoders` differ in their builds of libjpeg-turbo and in what they do around it; the fastest
is the ceiling.
"""

from collections.abc import Iterator
from itertools import cycle

import numpy as np

from tools.benchmark_input.peers.decoders import decoder_named
from tools.benchmark_input.peers.images import image_files
from tools.benchmark_input.peers.images import write_images as write
from tools.benchmark_input.source import Source

__all__ = ["batches", "write"]


def batches(source: Source) -> Iterator[np.ndarray]:
    """Batches of one clip, always the same array: page faults are not libjpeg-turbo's work."""
    decode = decoder_named(source.option)
    clips = [[file.read_bytes() for file in files] for files in image_files(source.folder)]
    batch = np.empty((1, source.num_frames, *source.frame_shape), np.uint8)
    for clip in cycle(clips):
        for frame, out in zip(clip, batch[0], strict=True):
            decode(frame, out)
        yield batch
