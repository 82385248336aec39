"""The shards of one split of a region, or of several: found, counted, and checked."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import tensorflow as tf

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.options import region_names
from deepfake_tfdata.records.example import can_decode
from deepfake_tfdata.records.index import IndexedClip, by_shard, file_size, read_index
from deepfake_tfdata.records.metadata import Conversion, find_conversion
from deepfake_tfdata.records.plan import shard_name
from deepfake_tfdata.storage import AnyPath, as_path, file_sizes


@dataclass(frozen=True)
class Shards:
    """The shards of one split.

    Attributes:
        regions: whose shards they are.
        folders: where each region's shards are.
        split: train, val or test.
        clips: by region, the same clips in the same order.
        shard_bytes: by region, the size of each shard.
        planned: by class and method, how many videos the split has, whether or not they gave a clip.
        spec: how the clips were made.
        conversion: what conversion.json says of them.
        num_skipped: damaged clips that were left out.
    """

    regions: tuple[str, ...]
    folders: tuple[AnyPath, ...]
    split: str
    clips: tuple[tuple[IndexedClip, ...], ...]
    shard_bytes: tuple[tuple[int, ...], ...]
    planned: Mapping[str, Mapping[str, int]]
    spec: ClipSpec
    conversion: Conversion
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
        prefix = f"deepfake_{self.regions[region]}-{self.split}.tfrecord"
        folder = self.folders[region]
        count = len(self.shard_bytes[region])
        return [str(folder / f"{prefix}-{index:05d}-of-{count:05d}") for index in range(count)]

    @property
    def digest(self) -> str:
        """Changes with any clip, its place, or the conversion."""
        lines = [(clip.clip_id, clip.shard, clip.offset, clip.length) for each in self.clips for clip in each]
        return hashlib.sha256(f"{self.conversion.identity} {lines}".encode()).hexdigest()[:12]

    def of_region(self, region: int) -> "Shards":
        """Those of one region."""
        return replace(
            self,
            regions=(self.regions[region],),
            folders=(self.folders[region],),
            clips=(self.clips[region],),
            shard_bytes=(self.shard_bytes[region],),
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
        split: train, val or test.
        check_files: whether every shard must be there as a whole.

    Raises:
        UserError: there are no such records, a shard is missing or truncated, or regions don't go together.
    """
    regions = region_names(region)
    folder = as_path(data)
    if isinstance(folder, Path):
        folder = folder.absolute()  # a data service works in another folder
    conversion = find_conversion(folder, regions)
    if split not in SPLITS:
        raise UserError(f"--split={split} is unknown; choose from {', '.join(SPLITS)}")
    folders = tuple(folder / name for name in regions)
    clips = tuple(tuple(clip for clip in read_index(place) if clip.split == split) for place in folders)
    counts = conversion.counts[split]
    shards = Shards(
        regions,
        folders,
        split,
        clips,
        tuple(
            _shard_bytes(place, split, members, counts["shards"])
            for place, members in zip(folders, clips, strict=True)
        ),
        counts["planned"],
        _readable_spec(conversion),
        conversion,
    )
    _check_index(shards, counts["real"] + counts["fake"])
    if check_files:
        require_whole_files(shards)
    return shards


def require_whole_files(shards: Shards) -> None:
    """Refuses shards that are missing or cut off.

    Raises:
        UserError: it names the first such shard.
    """
    for region in range(len(shards.regions)):
        _check_sizes(shards, region)


def _readable_spec(conversion: Conversion) -> ClipSpec:
    """The spec of some records, known to be one that can be decoded here."""
    spec = ClipSpec.from_dict(conversion.spec)
    if not can_decode(spec.encoding):
        raise UserError(
            f"TensorFlow {tf.__version__} can't decode {spec.encoding}; use a newer one, or records of "
            "another --encoding"
        )
    return spec


def _check_index(shards: Shards, num_clips: int) -> None:
    """Refuses regions whose index is incomplete, or that hold different clips."""
    for folder, clips in zip(shards.folders, shards.clips, strict=True):
        if len(clips) != num_clips:
            raise _damaged_index(folder)
        if not clips:
            raise UserError(f"the {shards.split} split of {folder} is empty; convert more videos")
    ids = [[clip.clip_id for clip in clips] for clips in shards.clips]
    if any(other != ids[0] for other in ids):
        names = ",".join(shards.regions)
        raise UserError(f"the {shards.split} splits of {names} differ; convert them together")


def _damaged_index(folder: AnyPath) -> UserError:
    return UserError(f"the index in {folder} is damaged; run the same convert command again")


def _check_sizes(shards: Shards, region: int) -> None:
    files = shards.files(region)
    sizes = file_sizes([as_path(file) for file in files])
    for file, size, expected in zip(files, sizes, shards.shard_bytes[region], strict=True):
        if size is None:
            raise UserError(f"shard {file} is missing; run the same convert command again")
        if size != expected:
            raise UserError(
                f"shard {file} is truncated or not the one that was written: {size} bytes instead of "
                f"{expected}; run the same convert command again"
            )


def _shard_bytes(
    folder: AnyPath, split: str, clips: Sequence[IndexedClip], num_shards: int
) -> tuple[int, ...]:
    """How large each shard of a region is: its records fill it."""
    members = by_shard(clips)
    sizes = [file_size(members.get(shard_name(split, index), ())) for index in range(num_shards)]
    if None in sizes:
        raise _damaged_index(folder)
    return tuple(size or 0 for size in sizes)
