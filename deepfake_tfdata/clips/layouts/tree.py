"""Looking for videos in a folder, local or remote, whatever its names and links are."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath, below

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm"})
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
# What file managers leave in a folder of images.
_LITTER = frozenset({"thumbs.db", "desktop.ini"})


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
    return _folders_of(entries(folder))


def child(folder: AnyPath, name: str) -> AnyPath:
    """FOLDER/NAME, in whatever case it is written there."""
    exact = folder / name
    if exact.exists():
        return exact
    return next((path for path in entries(folder) if path.name.casefold() == name.casefold()), exact)


def video_files(folder: AnyPath) -> list[AnyPath]:
    """The files of a folder that are videos by their ending; none is opened, so broken links are there."""
    return [path for path in entries(folder) if is_video_file(path)]


def video_files_below(folder: AnyPath) -> list[AnyPath]:
    """The videos of a folder and of all folders below it; each folder once, so that links can't loop."""
    return [path for _, contents in _walk(folder, set()) for path in contents if is_video_file(path)]


def image_folders(folder: AnyPath) -> list[AnyPath]:
    """The folders in a folder that are videos kept as images: they hold images and nothing else."""
    return [path for path in folders(folder) if _are_images(entries(path))]


def recordings_below(folder: AnyPath) -> list[AnyPath]:
    """The videos below a folder, files and folders of images; the folder itself is none."""
    found: list[AnyPath] = []
    for inner, contents in _walk(folder, set()):
        found += filter(is_video_file, contents)
        found += [inner] if inner != folder and _are_images(contents) else []
    return found


def is_video_file(path: AnyPath) -> bool:
    """Whether it is a file by its ending, and no folder of images."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def recording_name(path: AnyPath) -> str:
    """The name of a video: a file's without its ending, a folder's as it is."""
    return path.stem if is_video_file(path) else path.name


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
    """The path of a video below the root, without its ending, with forward slashes: unique but for that."""
    return below(path, root).with_name(recording_name(path)).as_posix()


def _is_folder(path: AnyPath) -> bool:
    try:
        return path.is_dir()
    except PermissionError:
        return False


def _folders_of(contents: Iterable[AnyPath]) -> list[AnyPath]:
    """The folders among what is in one; what ends as a file does is not asked, since that takes time."""
    files = VIDEO_SUFFIXES | IMAGE_SUFFIXES
    return [path for path in contents if path.suffix.lower() not in files and _is_folder(path)]


def _are_images(contents: Iterable[AnyPath]) -> bool:
    """Whether there are images, and nothing else that a person put there."""
    files = [path for path in contents if not (path.name[0] == "." or path.name.lower() in _LITTER)]
    return bool(files) and all(path.suffix.lower() in IMAGE_SUFFIXES for path in files)


def _walk(folder: AnyPath, seen: set[AnyPath]) -> Iterator[tuple[AnyPath, list[AnyPath]]]:
    """A folder and those below it, with what is in each, which is listed once."""
    place = folder.resolve() if isinstance(folder, Path) else folder
    if place in seen:
        return
    seen.add(place)
    contents = entries(folder)
    yield folder, contents
    for inner in _folders_of(contents):
        yield from _walk(inner, seen)
