"""Folders and files that are local, or on object storage behind a URL such as gs:// or s3://.

`as_path` gives a pathlib.Path for a local name and a RemotePath for a URL. RemotePath has those of Path's
methods that this package uses, so that code which takes a path works with both. TensorFlow does the transfer
and is imported only once a URL is really used: worker processes with local videos never load it.
"""

import errno
import fnmatch
import functools
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import IO, Any, TypeVar

from deepfake_tfdata.background import in_background
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.startup import import_tensorflow

_QUESTIONS_AT_ONCE = 32
# A download may take two minutes, and as long as a slow line would: 2 Mbit/s.
_SECONDS_TO_ANSWER = 120.0
_SLOWEST_BYTES_PER_SECOND = 250_000
_Result = TypeVar("_Result")


def as_path(name: "str | Path | RemotePath") -> "AnyPath":
    """The path of that name; a URL stays one (pathlib would make s3:/bucket of s3://bucket)."""
    if isinstance(name, RemotePath):
        return name
    return RemotePath(str(name).rstrip("/")) if "://" in str(name) else Path(name)


def user_path(name: str) -> "AnyPath":
    """The path that a user names, on a command line or in a file: as_path of it, `expanded`."""
    return as_path(expanded(name))


def expanded(name: str) -> str:
    """A name with a leading ~ or ~user replaced by that home folder; others stay as they are.

    A shell does so for a word, but not behind the `=` of a flag.
    """
    with suppress(RuntimeError):  # no such user
        return str(Path(name).expanduser()) if name.startswith("~") else name
    return name


@dataclass(frozen=True, order=True)
class RemotePath:
    """A file or folder on object storage, with the methods of pathlib.Path that this package uses."""

    url: str

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> "RemotePath":
        return RemotePath(f"{self.url}/{name}")

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def stem(self) -> str:
        return Path(self.name).stem

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix

    @property
    def parent(self) -> "RemotePath":
        return RemotePath(self.url.rpartition("/")[0])

    def with_name(self, name: str) -> "RemotePath":
        return self.parent / name

    def exists(self) -> bool:
        return self._gfile().exists(self.url)

    def is_dir(self) -> bool:
        return self._gfile().isdir(self.url)

    def is_file(self) -> bool:
        return self.exists() and not self.is_dir()

    def is_symlink(self) -> bool:
        return False

    def iterdir(self) -> Iterator["RemotePath"]:
        # Some file systems end the names of folders with a slash.
        return (self / name.rstrip("/") for name in self._gfile().listdir(self.url))

    def glob(self, pattern: str) -> Iterator["RemotePath"]:
        return (RemotePath(url.rstrip("/")) for url in self._gfile().glob(f"{self.url}/{pattern}"))

    def rglob(self, pattern: str) -> Iterator["RemotePath"]:
        for folder, folders, files in self._gfile().walk(self.url):
            for name in fnmatch.filter([name.rstrip("/") for name in (*folders, *files)], pattern):
                yield RemotePath(folder.rstrip("/")) / name

    def stat(self) -> SimpleNamespace:
        return SimpleNamespace(st_size=self._gfile().stat(self.url).length)

    def mkdir(self, parents: bool = True, exist_ok: bool = True) -> None:
        self._gfile().makedirs(self.url)

    def unlink(self, missing_ok: bool = False) -> None:
        if not missing_ok or self.exists():
            self._gfile().remove(self.url)

    def open(self, mode: str = "r", encoding: str | None = None, newline: str | None = None) -> IO[Any]:
        return self._gfile().GFile(self.url, mode)

    def read_bytes(self) -> bytes:
        if not self.exists():
            raise FileNotFoundError(self.url)
        with self.open("rb") as file:
            return file.read()

    def read_text(self, encoding: str = "utf-8") -> str:
        return self.read_bytes().decode(encoding)

    def write_bytes(self, content: bytes) -> None:
        with self.open("wb") as file:
            file.write(content)

    def write_text(self, text: str, encoding: str = "utf-8") -> None:
        self.write_bytes(text.encode(encoding))

    def _gfile(self) -> ModuleType:
        return _gfile(self.url.partition("://")[0])


AnyPath = Path | RemotePath


def move(source: AnyPath, target: AnyPath) -> None:
    """Gives a file another name on its disk or store, which may be taken; it appears there when whole."""
    if isinstance(source, RemotePath):
        # A store copies on its side and then deletes.
        source._gfile().rename(source.url, str(target), overwrite=True)
    else:
        source.replace(str(target))


def file_sizes(paths: Sequence[AnyPath]) -> list[int | None]:
    """The size of each file in bytes; None where there is none."""
    # At once: on object storage every question takes its time.
    with ThreadPoolExecutor(_QUESTIONS_AT_ONCE) as threads:
        return list(threads.map(_file_size, paths))


def _file_size(path: AnyPath) -> int | None:
    try:
        size: int = path.stat().st_size
    except FileNotFoundError:
        return None
    except remote_errors() as error:
        if type(error).__name__ == "NotFoundError":
            return None
        raise
    return size


def below(path: AnyPath, folder: AnyPath) -> Path:
    """The part of a path below a folder of it."""
    return Path(str(path)).relative_to(str(folder))


class UnreachableError(Exception):
    """A file on object storage can't be downloaded; TensorFlow has tried several times, or hangs."""


@contextmanager
def local_copy(name: str) -> Iterator[str]:
    """The name of a local file or folder with the same content: itself, or a download, deleted after use.

    Raises:
        UnreachableError: it can't be downloaded.
        OSError: the temporary folder has no space left.
    """
    path = as_path(name)
    if isinstance(path, Path):
        yield name
        return
    with tempfile.TemporaryDirectory(prefix="deepfake_tfdata_") as folder:
        copy = Path(folder) / path.name
        _download_all(path, copy)
        yield str(copy)


def _download_all(path: RemotePath, copy: Path) -> None:
    """Copies a file, or a folder with the files in it."""
    try:
        files = _in_time(path, _SECONDS_TO_ANSWER, lambda: list(path.iterdir()) if path.is_dir() else [])
    except remote_errors() as error:
        raise UnreachableError(f"{path} can't be listed: {error}") from error
    if not files:
        download(path, copy)
        return
    copy.mkdir()
    for file in files:
        download(file, copy / file.name)


def download(path: AnyPath, copy: Path) -> None:
    """Copies a file to this machine.

    A transfer that hangs is given up, by the size of the file, and left to a thread that holds nobody up.

    Raises:
        UnreachableError: it can't be downloaded, or not in time.
        OSError: there is no space left.
    """
    if isinstance(path, Path):
        shutil.copyfile(path, copy)
        return
    import tensorflow as tf

    try:
        size = _in_time(path, _SECONDS_TO_ANSWER, lambda: path.stat().st_size)
        seconds = _SECONDS_TO_ANSWER + size / _SLOWEST_BYTES_PER_SECOND
        _in_time(path, seconds, lambda: path._gfile().copy(path.url, str(copy), overwrite=True))
    except tf.errors.ResourceExhaustedError as error:
        raise OSError(errno.ENOSPC, "no space left for downloads", str(copy.parent)) from error
    except tf.errors.OpError as error:
        raise UnreachableError(f"{path} can't be downloaded: {error.message}") from error


def _in_time(path: RemotePath, seconds: float, transfer: Callable[[], _Result]) -> _Result:
    """What a transfer of a file gives; UnreachableError where it takes longer."""
    future = in_background(transfer)
    done, _ = wait([future], seconds)
    if not done:
        raise UnreachableError(f"{path} can't be downloaded: it took more than {seconds:.0f} seconds")
    return future.result()


def rmtree(folder: AnyPath) -> None:
    """Deletes a folder with all that is in it."""
    if isinstance(folder, Path):
        shutil.rmtree(folder)
    else:
        folder._gfile().rmtree(folder.url)


def remote_errors() -> tuple[type[Exception], ...]:
    """What work with a RemotePath raises beside OSError, for an except clause; nothing before the first."""
    tensorflow = sys.modules.get("tensorflow")
    return (tensorflow.errors.OpError,) if tensorflow else ()


@functools.cache
def _gfile(scheme: str) -> ModuleType:
    """tf.io.gfile, able to reach the scheme.

    Raises:
        UserError: nothing that is installed can.
    """
    tf = import_tensorflow()
    if scheme not in tf.io.gfile.get_registered_schemes():
        with suppress(ImportError):
            import_module("tensorflow_io")  # importing it registers its file systems
    if scheme not in tf.io.gfile.get_registered_schemes():
        raise UserError(
            f"{scheme}:// can't be reached; for s3://, hdfs:// and az:// install 'deepfake-tfdata[io]' in an "
            "environment of its own (tensorflow-io needs TensorFlow 2.16)"
        )
    return tf.io.gfile
