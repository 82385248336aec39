"""The import of TensorFlow, as late and as quiet as a command's own lines of output need it."""

import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType


def import_tensorflow() -> ModuleType:
    """Imports TensorFlow without its start-up notes, which would bury a command's own line of error.

    They are written to the descriptor, before any log level is looked at; a failing import still raises.
    """
    if "tensorflow" in sys.modules:
        return sys.modules["tensorflow"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Records are read one by one; of gs:// TensorFlow would read 64 MB each time, and hold it in memory.
    os.environ.setdefault("GCS_READ_CACHE_BLOCK_SIZE_MB", "4")
    sys.stderr.flush()
    saved = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        tensorflow = import_module("tensorflow")
        # Listing the devices is what looks for CUDA, and complains on every machine without.
        tensorflow.config.list_physical_devices()
        return tensorflow
    finally:
        os.dup2(saved, 2)
        os.close(saved)
