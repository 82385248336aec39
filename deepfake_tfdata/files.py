"""Files that are either whole under their final name or not there at all."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from deepfake_tfdata.storage import AnyPath, RemotePath, move, rmtree

_Place = TypeVar("_Place", bound=AnyPath)


@contextmanager
def atomic_path(path: _Place, unique: bool = False) -> Iterator[_Place]:
    """Gives a temporary path to write to; it gets its final name, flushed to disk, if the block succeeds.

    On object storage an object appears only when its upload is complete, and so does the copy that gives it
    its final name; a process that dies in between leaves at most the object with the temporary name.

    Args:
        path: the final name.
        unique: whether several processes may write the file at once; what a killed one leaves is then not
            overwritten by the next.
    """
    # The suffix stays last: some writers choose the format by it.
    process = f"-{os.getpid()}" if unique else ""
    temporary = path.with_name(f"{path.stem}.incomplete{process}{path.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield cast(_Place, temporary)
        _sync(temporary)
        move(temporary, path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: AnyPath, content: bytes) -> None:
    """Writes a file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: AnyPath, text: str) -> None:
    """Writes a text file atomically, as UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: AnyPath, value: Any) -> None:
    """Writes a JSON file atomically, indented for people.

    Raises:
        ValueError: it holds NaN or an infinity, which JSON has not.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


@dataclass(frozen=True)
class PartedFile:
    """A text file that grows in parts: each is a file beside it until the whole is written.

    Object storage can't append, and parts may be written in parallel.

    Attributes:
        path: of the whole file.
    """

    path: AnyPath

    def read(self) -> list[list[str]]:
        """The lines of the whole file, if it is there, and of every part after it, in the parts' order.

        Bytes that are no UTF-8 are replaced, so that a damaged line can be told from its neighbours.
        """
        files = (self.path, *self._part_paths())
        return [file.read_bytes().decode(errors="replace").splitlines() for file in files if file.is_file()]

    def write_part(self, name: str, lines: Iterable[str]) -> None:
        """Writes the lines of a part, which count from now on."""
        _write_lines(self._parts / f"{name}{self.path.suffix}", lines)

    def write(self, lines: Iterable[str]) -> None:
        """Writes the whole file, which replaces its parts."""
        _write_lines(self.path, lines)
        if self._parts.is_dir():
            rmtree(self._parts)

    @property
    def _parts(self) -> AnyPath:
        return self.path.with_name(f"{self.path.stem}_parts")

    def _part_paths(self) -> list[AnyPath]:
        return sorted(self._parts.glob(f"*{self.path.suffix}"))


def _write_lines(path: AnyPath, lines: Iterable[str]) -> None:
    write_text(path, "".join(f"{line}\n" for line in lines))


def _sync(path: AnyPath) -> None:
    if isinstance(path, RemotePath):
        return  # closing it was the upload
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
