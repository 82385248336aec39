"""The folder a conversion writes to: one writer at a time, and what goes wrong with it in one line."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath, remote_errors

LOCK_FILE = ".convert.lock"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# TensorFlow's names for ENOSPC and EFBIG.
_FULL_REMOTELY = ("ResourceExhaustedError", "OutOfRangeError")


@contextmanager
def exclusive(output: AnyPath) -> Iterator[None]:
    """Keeps a second conversion out of a local folder.

    The kernel's lock ends with the process, however that ends; the file stays, with the last process's id.
    Object storage has no locks. Two runs there would do the same work twice and write the same bytes.

    Raises:
        UserError: another process is converting into it.
    """
    if not isinstance(output, Path):
        yield
        return
    import fcntl

    output.mkdir(parents=True, exist_ok=True)
    with (output / LOCK_FILE).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                f"process {file.read() or 'of another user'} is converting into {output}; "
                "wait until it ends, or choose another --output"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def explained_write_errors(output: AnyPath) -> Iterator[None]:
    """Turns a full disk, a missing permission and the like into a UserError."""
    try:
        yield
    except OSError as error:
        place = error.filename or output
        raise UserError(_explain(place, error.errno in _FULL, error.strerror or str(error))) from error
    except remote_errors() as error:
        full = type(error).__name__ in _FULL_REMOTELY
        raise UserError(_explain(output, full, str(error))) from error


def _explain(place: object, full: bool, message: str) -> str:
    if full:
        return (
            f"no space left for {place}; make room and run the same command again: "
            "finished shards are kept, it goes on after them"
        )
    return f"can't write to {place}: {message}; choose another --output, or mend this and run again"
