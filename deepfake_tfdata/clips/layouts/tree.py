"""Looking for videos in a folder, local or remote, whatever its names and links are."""

from collections.abc import Iterator
from pathlib import Path

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath, below

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm"})


def entries(folder: AnyPath) -> list[AnyPath]:
    """What is in a folder, sorted; nothing where there is none.

    Raises:
        UserError: the folder may not be read.
    """
    if not _is_folder(folder):
        return []
    try:
        return sorted(folder.iterdir(), key=str)
    except OSError as error:
        raise UserError(f"the folder {folder} can't be read: {error.strerror or error}") from None


def folders(folder: AnyPath) -> list[AnyPath]:
    """The folders in a folder, sorted."""
    return [
        path for path in entries(folder) if path.suffix.lower() not in VIDEO_SUFFIXES and _is_folder(path)
    ]


def child(folder: AnyPath, name: str) -> AnyPath:
    """FOLDER/NAME, in whatever case it is written there."""
    exact = folder / name
    if exact.exists():
        return exact
    return next((path for path in entries(folder) if path.name.casefold() == name.casefold()), exact)


def video_files(folder: AnyPath) -> list[AnyPath]:
    """The files of a folder that are videos by their ending; none is opened, so broken links are there."""
    return [path for path in entries(folder) if path.suffix.lower() in VIDEO_SUFFIXES]


def video_files_below(folder: AnyPath) -> list[AnyPath]:
    """The videos of a folder and of all folders below it; each folder once, so that links can't loop."""
    return [path for inner in _folders(folder, set()) for path in video_files(inner)]


def read_text(path: AnyPath) -> str:
    """A text file that comes with a data set; a byte order mark, which spreadsheets write, is left out.

    Raises:
        UserError: the file can't be read, or is no UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8 ({error.reason}); save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror or error}") from None


def relative_name(path: AnyPath, root: AnyPath) -> str:
    """The path below the root without its ending, with forward slashes: unique but for the ending."""
    return below(path, root).with_suffix("").as_posix()


def _is_folder(path: AnyPath) -> bool:
    try:
        return path.is_dir()
    except PermissionError:
        return False


def _folders(folder: AnyPath, seen: set[AnyPath]) -> Iterator[AnyPath]:
    place = folder.resolve() if isinstance(folder, Path) else folder
    if place in seen:
        return
    seen.add(place)
    yield folder
    for inner in folders(folder):
        yield from _folders(inner, seen)
