"""A map-style PyTorch data set under a DataLoader with worker processes."""

from collections.abc import Iterator
from typing import Any

from tools.benchmark_input.peers.decoders import decode_clip, decoder_named
from tools.benchmark_input.peers.images import image_files
from tools.benchmark_input.source import Source

# Clips of an epoch that no measurement sees the end of.
_MANY = 10_000_000


class Clips:
    """A clip an item, as torch.utils.data.Dataset asks for: __getitem__ and __len__."""

    def __init__(self, source: Source) -> None:
        self._files = image_files(source.folder)
        self._decode = decoder_named(source.option)
        self._frame_shape = source.frame_shape

    def __len__(self) -> int:
        return _MANY

    def __getitem__(self, index: int) -> Any:
        import torch

        frames = [file.read_bytes() for file in self._files[index % len(self._files)]]
        return torch.from_numpy(decode_clip(self._decode, frames, self._frame_shape))


def batches(source: Source) -> Iterator[Any]:
    """Two workers or one a core, whichever is more; order kept, since nothing is shuffled."""
    import torch

    loader = torch.utils.data.DataLoader(
        Clips(source), batch_size=source.batch_size, num_workers=max(2, source.cores)
    )
    yield from loader
