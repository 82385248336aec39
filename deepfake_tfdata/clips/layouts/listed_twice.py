"""One file under two names: as real and as fake it would teach nothing, in two splits it would leak."""

import os
from collections.abc import Hashable, Iterable
from pathlib import Path

from deepfake_tfdata.clips.video import LABEL_NAMES, Video
from deepfake_tfdata.errors import UserError


def refuse_one_file_twice(videos: Iterable[Video]) -> None:
    """Refuses a file, folder of images or URL that two videos of a data set are.

    Links, symbolic and hard, are the file that they lead to.

    Raises:
        UserError: it names both.
    """
    seen: dict[Hashable, Video] = {}
    for video in videos:
        other = seen.setdefault(_identity(video.path), video)
        if other is not video:
            raise UserError(
                f"{_described(other)} and {_described(video)} are one file: {other.path} and {video.path}; "
                "keep the one that is right"
            )


def _identity(path: str) -> Hashable:
    """Equal for paths of one file; by name where there is no such file, or its disk numbers no files."""
    if "://" in path:
        return path
    try:
        about = Path(path).stat()
    except (OSError, ValueError):
        return os.path.realpath(path)
    return (about.st_dev, about.st_ino) if about.st_ino else os.path.realpath(path)


def _described(video: Video) -> str:
    return f"'{video.key}' ({LABEL_NAMES[video.label]} of '{video.target_id}')"
