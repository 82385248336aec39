"""The folder a conversion writes to: one writer at a time, and what goes wrong with it in one line."""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.claim import claimed, require_unclaimed
from deepfake_tfdata.storage import AnyPath, remote_errors

LOCK_FILE = ".convert.lock"
# Of NFS without its lock daemon, Lustre mounted without flock, and some file systems in user space.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
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
    output.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        file = stack.enter_context((output / LOCK_FILE).open("a+"))
        if not _lock(file, output):
            stack.enter_context(claimed(output))
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def require_writable(output: AnyPath) -> None:
    """Raises what writing to a local folder would, as far as can be known without; nothing is written.

    Raises:
        UserError: another process is converting into it.
        OSError: it is no folder, or may not be written to.
    """
    if not isinstance(output, Path):
        return
    place = next(each for each in (output.absolute(), *output.absolute().parents) if each.exists())
    code = errno.ENOTDIR if not place.is_dir() else 0 if os.access(place, os.W_OK | os.X_OK) else errno.EACCES
    if code:
        raise OSError(code, os.strerror(code), str(output))
    if (output / LOCK_FILE).exists():
        with (output / LOCK_FILE).open() as file:
            if not _lock(file, output):  # closed, it is unlocked
                require_unclaimed(output)


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


def _lock(file: TextIO, output: Path) -> bool:
    """Locks a file until it is closed; False where the file system has no locks.

    Raises:
        UserError: another process has locked it.
    """
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise UserError(
            f"process {file.read() or 'of another user'} is converting into {output}; "
            "wait until it ends, or choose another --output"
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


def _explain(place: object, full: bool, message: str) -> str:
    if full:
        return (
            f"no space left for {place}; make room and run the same command again: "
            "finished shards are kept, it goes on after them"
        )
    return f"can't write to {place}: {message}; choose another --output, or mend this and run again"
