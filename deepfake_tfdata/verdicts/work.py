"""What a worker process does with a video: hash the file, then inspect it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deepfake_tfdata.clips.inspected import InspectedVideo
from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.video import Video

_PIECE = 1 << 20


@dataclass(frozen=True)
class ExaminedVideo(ProcessedVideo):
    """A video and the file that it was in.

    Attributes:
        sha256: of the file; of a folder of images, of the names and contents of its files.
        inspected: None where the file can't be read as a video.
        status, reason: then why, as the ledger has it.
    """

    sha256: str = ""
    inspected: InspectedVideo | None = None
    status: str = "ok"
    reason: str = ""


def examine(video: Video, inspect: Callable[[Video], InspectedVideo]) -> ExaminedVideo:
    """Hashes and inspects; a file that is no video has a hash, too."""
    sha256 = hash_file(Path(video.path))
    try:
        inspected = inspect(video)
    except Exception as error:
        if not hasattr(error, "status"):
            raise  # no fault of the video's; the worker tells it
        reason = str(getattr(error, "reason", error))
        return ExaminedVideo(sha256=sha256, status=str(error.status), reason=reason)
    return ExaminedVideo(faces=inspected.faces, sha256=sha256, inspected=inspected)


def hash_file(path: Path) -> str:
    """SHA-256 in hexadecimal digits; '' where it can't be read."""
    digest = hashlib.sha256()
    try:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if path.is_dir():
                digest.update(f"{file.name}\n".encode())
            with file.open("rb") as content:
                while piece := content.read(_PIECE):
                    digest.update(piece)
    except OSError:
        return ""
    return digest.hexdigest()
