"""The shards of one split of a region, or of several: found, counted, and checked."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import tensorflow as tf

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import LABEL_NAMES
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.options import region_names
from deepfake_tfdata.records.example import can_decode
from deepfake_tfdata.records.index import IndexedClip, by_shard, file_size, read_index
from deepfake_tfdata.records.metadata import Conversion, find_conversion
from deepfake_tfdata.records.plan import ShardPlan, shard_name
from deepfake_tfdata.storage import AnyPath, as_path, file_sizes

# Stands for all three splits together.
POOL = "pool"


@dataclass(frozen=True)
class ShardFile:
    """A shard of a region.

    Attributes:
        name: among those of all splits, such as train-00003.
        path: of the file.
        size: that it should have, bytes.
        digest: changes with any of its clips, its place, or the conversion.
    """

    name: str
    path: str
    size: int
    digest: str


@dataclass(frozen=True)
class Shards:
    """Some clips of a region or of several, and the shards that they lie in.

    Attributes:
        regions: whose shards they are.
        split: train, val, test or POOL: what the clips are for. Their index says in which split's shards they
            lie, which is another one where the splits are divided anew.
        clips: by region, the same clips in the same order.
        shard_files: by region, the shards; some may hold none of the clips.
        planned: by class and method, how many videos the split has, whether or not they gave a clip.
        spec: how the clips were made.
        conversion: what conversion.json says of them.
        fold: such as 2/5, where the splits are those of a fold.
        num_skipped: damaged clips that were left out.
    """

    regions: tuple[str, ...]
    split: str
    clips: tuple[tuple[IndexedClip, ...], ...]
    shard_files: tuple[tuple[ShardFile, ...], ...]
    planned: Mapping[str, Mapping[str, int]]
    spec: ClipSpec
    conversion: Conversion
    fold: str = ""
    num_skipped: int = 0

    @property
    def num_clips(self) -> int:
        """How many clips each region has."""
        return len(self.clips[0])

    @property
    def is_native(self) -> bool:
        """Whether frames are of the size they have in the video."""
        return self.spec.geometry == "native"

    def files(self, region: int) -> list[str]:
        """The paths of a region's shards, in order."""
        return [file.path for file in self.shard_files[region]]

    def file_of_clips(self, region: int) -> list[int]:
        """Where among `files` the shard of each clip of a region is."""
        places = {file.name: place for place, file in enumerate(self.shard_files[region])}
        return [places[shard_name(clip.split, clip.shard)] for clip in self.clips[region]]

    @property
    def digest(self) -> str:
        """Changes with any clip, its place, or the conversion."""
        return _digest(self.conversion, (clip for each in self.clips for clip in each))

    def of_region(self, region: int) -> "Shards":
        """Those of one region."""
        return replace(
            self,
            regions=(self.regions[region],),
            clips=(self.clips[region],),
            shard_files=(self.shard_files[region],),
        )

    def only(self, rows: Iterable[int]) -> "Shards":
        """Some of their clips, by their positions, in the order given."""
        rows = list(rows)
        return replace(self, clips=tuple(tuple(clips[row] for row in rows) for clips in self.clips))


def find_shards(
    data: str | Path, region: str | Sequence[str], split: str, *, check_files: bool = True
) -> Shards:
    """Finds the shards of a split.

    Args:
        data: what `convert` had as --output.
        region: one or several of the converted regions, as in `region_names`.
        split: train, val or test, or POOL for all of them.
        check_files: whether every shard must be there as a whole.

    Raises:
        UserError: there are no such records, a shard is missing or truncated, or regions don't go together.
    """
    regions = region_names(region)
    folder = as_path(data)
    if isinstance(folder, Path):
        folder = folder.absolute()  # a data service works in another folder
    conversion = find_conversion(folder, regions)
    if split not in (*SPLITS, POOL):
        raise UserError(f"--split={split} is unknown; choose from {', '.join(SPLITS)}")
    members = SPLITS if split == POOL else (split,)
    folders = tuple(folder / name for name in regions)
    clips = tuple(tuple(clip for clip in read_index(place) if clip.split in members) for place in folders)
    _check_index(folders, clips, split, sum(_num_clips(conversion, member) for member in members))
    shards = Shards(
        regions,
        split,
        clips,
        tuple(_shard_files(*each, members, conversion) for each in zip(folders, clips, strict=True)),
        _planned(conversion, members),
        _readable_spec(conversion),
        conversion,
    )
    if check_files:
        require_whole_files(shards)
    return shards


def require_whole_files(shards: Shards) -> None:
    """Refuses shards that are missing or cut off.

    Raises:
        UserError: it names the first such shard.
    """
    for files in shards.shard_files:
        _check_sizes(files)


def _digest(conversion: Conversion, clips: Iterable[IndexedClip]) -> str:
    lines = [(clip.clip_id, clip.shard, clip.offset, clip.length) for clip in clips]
    return hashlib.sha256(f"{conversion.identity} {lines}".encode()).hexdigest()[:12]


def _num_clips(conversion: Conversion, split: str) -> int:
    counts = conversion.counts[split]
    return int(counts["real"] + counts["fake"])


def _planned(conversion: Conversion, splits: Sequence[str]) -> dict[str, dict[str, int]]:
    """By class and method, the videos of some splits together."""
    planned: dict[str, Counter[str]] = {name: Counter() for name in LABEL_NAMES}
    for split in splits:
        for name, methods in conversion.counts[split]["planned"].items():
            planned[name].update(methods)
    return {name: dict(sorted(methods.items())) for name, methods in planned.items()}


def _readable_spec(conversion: Conversion) -> ClipSpec:
    """The spec of some records, known to be one that can be decoded here."""
    spec = ClipSpec.from_dict(conversion.spec)
    if not can_decode(spec.encoding):
        raise UserError(
            f"TensorFlow {tf.__version__} can't decode {spec.encoding}; use a newer one, or records of "
            "another --encoding"
        )
    return spec


def _check_index(
    folders: Sequence[AnyPath], clips: Sequence[Sequence[IndexedClip]], split: str, num_clips: int
) -> None:
    """Refuses regions whose index is incomplete, or that hold different clips."""
    for folder, found in zip(folders, clips, strict=True):
        if len(found) != num_clips:
            raise _damaged_index(folder)
        if not found:
            raise UserError(f"the {split} split of {folder} is empty; convert more videos")
    ids = [[clip.clip_id for clip in found] for found in clips]
    if any(other != ids[0] for other in ids):
        names = ",".join(folder.name for folder in folders)
        raise UserError(f"the {split} splits of {names} differ; convert them together")


def _damaged_index(folder: AnyPath) -> UserError:
    return UserError(f"the index in {folder} is damaged; run the same convert command again")


def _check_sizes(files: Sequence[ShardFile]) -> None:
    sizes = file_sizes([as_path(file.path) for file in files])
    for file, size in zip(files, sizes, strict=True):
        if size is None:
            raise UserError(f"shard {file.path} is missing; run the same convert command again")
        if size != file.size:
            raise UserError(
                f"shard {file.path} is truncated or not the one that was written: {size} bytes instead of "
                f"{file.size}; run the same convert command again"
            )


def _shard_files(
    folder: AnyPath, clips: Sequence[IndexedClip], splits: Sequence[str], conversion: Conversion
) -> tuple[ShardFile, ...]:
    """The shards of some splits of a region: their records fill them."""
    members = by_shard(clips)
    files = []
    for split in splits:
        count = conversion.counts[split]["shards"]
        for index in range(count):
            shard = ShardPlan(split, index, count, ())
            inside = members.get(shard.name, [])
            size = file_size(inside)
            if size is None:
                raise _damaged_index(folder)
            path = str(folder / shard.file_name(folder.name))
            files.append(ShardFile(shard.name, path, size, _digest(conversion, inside)))
    return tuple(files)
