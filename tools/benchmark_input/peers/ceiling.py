"""libjpeg-turbo and nothing else: frames from memory, one after another, into fresh arrays.

The decoders of `decoders` differ in their builds of libjpeg-turbo and in what they do around it; the fastest
is the ceiling.
"""

from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np

from tools.benchmark_input.peers.decoders import decoder_named
from tools.benchmark_input.peers.images import image_files
from tools.benchmark_input.peers.images import write_images as write
from tools.benchmark_input.source import Source

__all__ = ["batches", "write"]


def batches(source: Source) -> Iterator[list[list[np.ndarray]]]:
    """B lists of T frames: no stacking, which is not libjpeg-turbo's work."""
    decode = decoder_named(source.option)
    clips = cycle([[file.read_bytes() for file in files] for files in image_files(source.folder)])
    while True:
        yield [[decode(frame) for frame in clip] for clip in islice(clips, source.batch_size)]
