"""A folder a clip, an image a frame: 00000/00.jpg."""

from collections.abc import Iterable
from pathlib import Path


def write_images(clips: Iterable[list[bytes]], folder: Path) -> None:
    """Writes every frame into a file of its own."""
    for index, frames in enumerate(clips):
        clip = folder / f"{index:05d}"
        clip.mkdir(parents=True)
        for number, frame in enumerate(frames):
            (clip / f"{number:04d}.jpg").write_bytes(frame)


def image_files(folder: Path) -> list[list[Path]]:
    """The files of every clip, in order."""
    return [sorted(clip.iterdir()) for clip in sorted(folder.iterdir())]
