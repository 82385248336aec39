"""A lock for folders on file systems without locks: a file that says whose the folder is."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deepfake_tfdata.errors import UserError

CLAIM_FILE = ".convert.claim"
_LOG = logging.getLogger(__name__)


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keeps other processes that claim the folder out of it, on this machine and on others.

    What a killed process of this machine left is taken over. Of another machine nobody can tell whether its
    process lives, so that the user decides.

    Raises:
        UserError: the folder is another process's.
    """
    require_unclaimed(folder)
    path = folder / CLAIM_FILE
    path.unlink(missing_ok=True)
    try:
        file = path.open("x")  # of two that come here at once, one creates it
    except FileExistsError:
        raise UserError(_claim_of(path, path.read_text())) from None
    _LOG.warning("warning: the file system of %s has no locks; %s stands for one", folder, CLAIM_FILE)
    with file:
        file.write(f"{socket.gethostname()} {os.getpid()}")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def require_unclaimed(folder: Path) -> None:
    """UserError where another process has claimed the folder and may be alive."""
    path = folder / CLAIM_FILE
    with suppress(FileNotFoundError):
        owner = path.read_text()
        host, _, process = owner.rpartition(" ")
        if host != socket.gethostname() or _lives(process):
            raise UserError(_claim_of(path, owner))


def _lives(process: str) -> bool:
    """Whether that process runs; this one has no claim that it asks for."""
    if not process.isdecimal() or int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def _claim_of(path: Path, owner: str) -> str:
    host, _, process = owner.rpartition(" ")
    return (
        f"process {process or 'unknown'} on {host or 'some machine'} is converting into {path.parent}; wait "
        f"until it ends, choose another --output, or, if it was killed, delete {path}"
    )
