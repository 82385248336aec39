"""Local copies of shards from object storage, so that every epoch after the first copy reads a local disk."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import atomic_path
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.input.shards import Shards
from deepfake_tfdata.storage import AnyPath, UnreachableError, as_path, download

_DOWNLOADS_AT_ONCE = 8


def cached(shards: Shards, folder: str) -> Shards:
    """Copies what a folder lacks of some shards, and gives the copies: as whole as their origins are.

    Args:
        shards: with encoded clips, as they are stored.
        folder: local; copies are kept under a name of their origin and clip spec, whole or not at all.

    Raises:
        UserError: the folder is not local or has no space left, or a shard can't be downloaded.
    """
    InputOptions(cache_dir=folder)  # refuses object storage
    # Absolute, for a data service works in another folder.
    folders = tuple(_copy_of(place, shards, Path(folder).absolute()) for place in shards.folders)
    copies = replace(shards, folders=folders)
    wanted = [
        (source, Path(copy))
        for region, sizes in enumerate(shards.shard_bytes)
        for source, copy, size in zip(shards.files(region), copies.files(region), sizes, strict=True)
        if not Path(copy).exists() or Path(copy).stat().st_size != size
    ]
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as threads:
        try:
            list(threads.map(lambda pair: _copy(*pair), wanted))
        except (OSError, UnreachableError) as error:
            raise UserError(f"--cache_dir={folder} can't be filled: {error}") from error
    return copies


def _copy_of(place: AnyPath, shards: Shards, folder: Path) -> Path:
    origin = hashlib.sha256(f"{place} {shards.digest}".encode()).hexdigest()[:12]
    return folder / f"{place.name}-{origin}"


def _copy(source: str, copy: Path) -> None:
    if not as_path(source).exists():
        return
    # Several processes may fill the same cache; each writes a file of its own, and the last one stays.
    with atomic_path(copy, unique=True) as temporary:
        download(as_path(source), temporary)
