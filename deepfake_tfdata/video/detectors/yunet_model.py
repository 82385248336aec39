"""YuNet's model file: downloaded once into the user's cache, and refused unless it is the pinned one."""

import hashlib
import http.client
import os
import time
import urllib.request
from pathlib import Path

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import atomic_path

MODEL_FILE = "face_detection_yunet_2023mar.onnx"
# OpenCV's model zoo keeps its files in Git LFS, which this host serves.
_URL = (
    "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/face_detection_yunet/"
    f"{MODEL_FILE}"
)
_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
_BYTES = 232_589
_TIME_LIMIT_SECONDS = 60.0
_CHUNK_BYTES = 2**16


def cached_model() -> Path:
    """Where the model is, or will be, on this machine (XDG Base Directory Specification)."""
    folder = os.environ.get("XDG_CACHE_HOME", "")
    # The specification asks to pass over relative paths.
    cache = Path(folder) if Path(folder).is_absolute() else Path.home() / ".cache"
    return cache / "deepfake_tfdata" / MODEL_FILE


def provide_model(path: Path, url: str = _URL, time_limit: float = _TIME_LIMIT_SECONDS) -> None:
    """Downloads the model to a path, unless it is there already.

    Args:
        path: where it is to be; another file there is replaced.
        url: where it is from.
        time_limit: seconds that the download may take.

    Raises:
        UserError: it can't be downloaded or written, or what came is something else.
    """
    try:
        if path.is_file() and _is_model(path.read_bytes()):
            return
        content = _download(url, time_limit)
    except (OSError, http.client.HTTPException) as error:
        raise _without_model(f"can't download {url} ({_reason(error)})") from None
    if not _is_model(content):
        raise _without_model(f"{url} gave {len(content):,} bytes that are not YuNet's model of March 2023")
    try:
        with atomic_path(path, unique=True) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise _without_model(f"can't write {path} ({error.strerror or error})") from None


def _download(url: str, time_limit: float) -> bytes:
    """What is there; no more than the model and a byte, and TimeoutError where it drips."""
    end = time.monotonic() + time_limit
    content = bytearray()
    with urllib.request.urlopen(url, timeout=time_limit) as response:
        while len(content) <= _BYTES and (chunk := response.read1(_CHUNK_BYTES)):
            content += chunk
            if time.monotonic() > end:
                raise TimeoutError(f"it took more than {time_limit:g} seconds")
    return bytes(content)


def _is_model(content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == _SHA256


def _reason(error: Exception) -> str:
    """A few words on one line, without Python's wrapping."""
    inner = getattr(error, "reason", error)
    words = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return " ".join(str(words).split())


def _without_model(problem: str) -> UserError:
    return UserError(
        f"{problem}; download {MODEL_FILE} of OpenCV's model zoo (github.com/opencv/opencv_zoo) on another "
        "machine and name it with --detector_model=FILE.onnx"
    )
