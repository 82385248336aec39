"""NVIDIA DALI on the CPU.

DALI decodes one image a sample, and its TFRecord reader takes one string a feature, not T: a batch of clips
is a batch of B*T frames. Reading them from tar shards was no faster, T outputs that are stacked were slower.
"""

from collections.abc import Iterator

import numpy as np

from tools.benchmark_input.peers.images import image_files
from tools.benchmark_input.source import Source


def batches(source: Source) -> Iterator[np.ndarray]:
    """Its file reader over the frames in order, its decoder, and a thread a core."""
    from nvidia.dali import fn, pipeline_def

    files = [str(file) for clip in image_files(source.folder) for file in clip]

    @pipeline_def(
        batch_size=source.batch_size * source.num_frames,
        num_threads=source.cores,
        device_id=None,
        prefetch_queue_depth=2,
    )
    def frames() -> object:
        encoded, _ = fn.readers.file(files=files, name="frames")
        return fn.decoders.image(encoded, device="cpu")

    pipeline = frames()
    pipeline.build()
    shape = (source.batch_size, source.num_frames, *source.frame_shape)
    while True:
        (decoded,) = pipeline.run()
        yield np.asarray(decoded.as_tensor()).reshape(shape)
