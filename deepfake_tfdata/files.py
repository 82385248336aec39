"""Files that are either whole under their final name or not there at all."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deepfake_tfdata.storage import AnyPath, RemotePath


@contextmanager
def atomic_path(path: AnyPath) -> Iterator[AnyPath]:
    """Gives a temporary path to write to; it gets its final name, flushed to disk, if the block succeeds.

    On object storage an object appears only when its upload is complete, and so does the copy that gives it
    its final name; a process that dies in between leaves at most the object with the temporary name.
    """
    # The suffix stays last: some writers choose the format by it.
    temporary = path.with_name(f"{path.stem}.incomplete{path.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
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
    """Writes a JSON file atomically, indented for people."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def _sync(path: AnyPath) -> None:
    if isinstance(path, RemotePath):
        return  # closing it was the upload
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
