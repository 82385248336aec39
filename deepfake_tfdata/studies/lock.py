"""One process at a time in the folder of a study."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepfake_tfdata.errors import UserError

_LOCK_FILE = ".study.lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keeps a second study out of a folder; the kernel's lock ends with the process, however that ends.

    Raises:
        UserError: another process is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK_FILE).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another process conducts the study in {folder}; wait until it ends, or choose another "
                "--workdir"
            ) from None
        except OSError:
            pass  # a file system without locks: nobody can be kept out
        yield
