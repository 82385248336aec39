"""Local copies of shards from object storage, so that every epoch after the first copy reads a local disk."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import atomic_path
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.input.shards import ShardFile, Shards
from deepfake_tfdata.storage import UnreachableError, as_path, download

_DOWNLOADS_AT_ONCE = 8


def cached(shards: Shards, folder: str) -> Shards:
    """Copies what a folder lacks of some shards, and gives the copies: as whole as their origins are.

    Args:
        shards: with encoded clips, as they are stored.
        folder: local; copies are kept under a name of their origin and clips, whole or not at all.

    Raises:
        UserError: the folder is not local or has no space left, or a shard can't be downloaded.
    """
    InputOptions(cache_dir=folder)  # refuses object storage
    # Absolute, for a data service works in another folder.
    local = Path(folder).absolute()
    shard_files = tuple(
        tuple(replace(file, path=str(_copy_of(file, local))) for file in files)
        for files in shards.shard_files
    )
    copies = replace(shards, shard_files=shard_files)
    wanted = [
        (file.path, Path(copy.path))
        for region, files in enumerate(shards.shard_files)
        for file, copy in zip(files, shard_files[region], strict=True)
        if not Path(copy.path).exists() or Path(copy.path).stat().st_size != file.size
    ]
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as threads:
        try:
            list(threads.map(lambda pair: _copy(*pair), wanted))
        except (OSError, UnreachableError) as error:
            raise UserError(f"--cache_dir={folder} can't be filled: {error}") from error
    return copies


def _copy_of(file: ShardFile, folder: Path) -> Path:
    """The same place for all who read the shard, whichever of its clips they want."""
    origin = hashlib.sha256(f"{file.path} {file.digest}".encode()).hexdigest()[:12]
    return folder / f"{origin}-{as_path(file.path).name}"


def _copy(source: str, copy: Path) -> None:
    if not as_path(source).exists():
        return
    # Several processes may fill the same cache; each writes a file of its own, and the last one stays.
    with atomic_path(copy, unique=True) as temporary:
        download(as_path(source), temporary)
