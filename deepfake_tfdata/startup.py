"""The import of TensorFlow, as late and as quiet as a command's own lines of output need it."""

import ctypes
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

# Options of glibc's mallopt, from its malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8


def import_tensorflow() -> ModuleType:
    """Imports TensorFlow without its start-up notes, which would bury a command's own line of error.

    They are written to the descriptor, before any log level is looked at; a failing import still raises.
    Memory that is freed is kept from then on, see `keep_freed_memory`.
    """
    keep_freed_memory()
    logging.getLogger("tensorflow").addFilter(_is_not_on_retracing)
    if "tensorflow" in sys.modules:
        return sys.modules["tensorflow"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Records are read one by one; of gs:// TensorFlow would read 64 MB each time, and hold it in memory.
    os.environ.setdefault("GCS_READ_CACHE_BLOCK_SIZE_MB", "4")
    with native_messages_hidden():
        tensorflow = import_module("tensorflow")
        # Listing the devices is what looks for CUDA, and complains on every machine without.
        tensorflow.config.list_physical_devices()
        return tensorflow


@contextmanager
def native_messages_hidden() -> Iterator[None]:
    """Hides what a library's native code writes to standard error; what it raises is raised."""
    sys.stderr.flush()
    saved = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)


def _is_not_on_retracing(record: logging.LogRecord) -> bool:
    """Several detectors in one process, each with graphs of its own, are no mistake."""
    return "retracing" not in record.getMessage()


def keep_freed_memory() -> None:
    """Makes the C library keep freed memory for the next allocation; one that is not glibc is left as it is.

    It would give every large block back to the system and ask for it again: a training step on a CPU then
    spends as long on getting zeroed pages as on its arithmetic. One arena, because the others can't hold a
    block of more than 64 MB. Who sets MALLOC_... variables or GLIBC_TUNABLES knows better.
    """
    if any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        for option, value in ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1)):
            mallopt(option, value)
