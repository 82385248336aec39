"""Whether a video is the file that it was: a content hash that reads little of it."""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.ledger import LedgerEntry
from deepfake_tfdata.records.worker import Work
from deepfake_tfdata.storage import AnyPath, as_path, remote_errors

# Bytes that are read at the beginning, in the middle and at the end. Another encoding of a video has another
# size, and where it has not, other bytes somewhere in these.
_PIECE = 16 << 10
_FILES_AT_ONCE = 32
_NAMED = 3


def content_of(path: AnyPath) -> str:
    """Twelve hexadecimal digits of a file's size and of three pieces of it.

    Of a folder of images, of the names and contents of all files in it.

    Raises:
        OSError: it can't be read.
    """
    digest = hashlib.sha256()
    files: list[AnyPath] = sorted(path.iterdir(), key=str) if path.is_dir() else [path]
    for file in files:
        # A file's own name is not its content, and its copy on this machine may have another.
        digest.update(f"{'' if file == path else file.name} {file.stat().st_size}\n".encode())
        for piece in _pieces(file):
            digest.update(piece)
    return digest.hexdigest()[:12]


def with_content(work: Work, video: Video) -> ProcessedVideo:
    """The work on a video on this machine, and the content that it was done on."""
    return replace(work(video), content=_content_or_none(video) or "")


def _pieces(path: AnyPath) -> Iterable[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        for start in sorted({0, max(0, (size - _PIECE) // 2), max(0, size - _PIECE)}):
            file.seek(start)
            yield file.read(_PIECE)


def require_same_content(
    videos: Iterable[Video], entries: Mapping[str, LedgerEntry], output: AnyPath
) -> None:
    """Refuses videos that are other files than those that the records were made of.

    A video that gave no clip may have been mended since, and one that can't be read now changes no record.

    Args:
        videos: the plan's.
        entries: of the ledger, by video key.
        output: the folder of records.

    Raises:
        UserError: it names the first of them.
    """
    used = [video for video in videos if video.key in entries and entries[video.key].clips]
    with ThreadPoolExecutor(_FILES_AT_ONCE) as threads:
        contents = threads.map(_content_or_none, used)
    changed = [
        video.key
        for video, content in zip(used, contents, strict=True)
        if content not in (None, entries[video.key].content)
    ]
    if changed:
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        raise UserError(
            f"the records in {output} were made of other files: {', '.join(changed[:_NAMED])}{more}; "
            "choose another --output, or put the videos back"
        )


def _content_or_none(video: Video) -> str | None:
    """Of all files that decide the video's clips: itself, its mask, the original that lends it a track."""
    original = video.original.path if video.original else ""
    paths = [path for path in (video.path, video.mask_path, original) if path]
    try:
        return "-".join(content_of(as_path(path)) for path in paths)
    except OSError:
        return None
    except remote_errors():
        return None
