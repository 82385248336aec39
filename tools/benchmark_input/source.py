"""What a loader is given, and what every loader is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Source:
    """The clips to load.

    Attributes:
        folder: in the loader's own format.
        num_clips, num_frames: how many clips, and frames a clip.
        frame_size: pixels a side of a resized frame.
        batch_size: clips.
        cores: how many threads or workers to use, where the loader wants to be told.
        region: of our records.
        option: of the row, such as which library decodes.
    """

    folder: Path
    num_clips: int
    num_frames: int
    frame_size: int
    batch_size: int
    cores: int
    region: str
    option: str = ""

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """[H, W, 3] of a resized frame."""
        return (self.frame_size, self.frame_size, 3)


class Loader(Protocol):
    """A module of `peers`.

    `write` is left out by a loader that reads what another's has written. Nothing heavy is imported before
    one of the two is called: every loader runs in a process of its own.
    """

    def write(self, clips: Iterable[list[bytes]], folder: Path) -> None:
        """Writes clips, each T encoded images, in the loader's format."""

    def batches(self, source: Source) -> Iterator[Any]:
        """Batches without end, uint8 [B, T, H, W, 3], as the loader's arrays or tensors in host memory.

        The clips come again and again as if they were one long epoch, so that nobody pays for its borders.
        """
