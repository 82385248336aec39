"""The shards of one split of a region, or of several: found, counted, and checked."""

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.metadata import CONVERSION_FILE, read_conversion
from deepfake_tfdata.storage import as_path


@dataclass(frozen=True)
class Shards:
    """The shards of one split.

    Attributes:
        regions: whose shards they are.
        files: paths, in order, a region's after another's; each region has as many.
        num_clips: in all shards of a region.
        num_videos: planned for the split, whether or not they gave a clip.
        spec: how the clips were made.
        plan: a fingerprint of which videos are in which split.
    """

    regions: tuple[str, ...]
    files: tuple[str, ...]
    num_clips: int
    num_videos: int
    spec: ClipSpec
    plan: str

    def rows(self) -> list[tuple[str, ...]]:
        """For each shard the files of all regions, which hold the same clips in the same order."""
        count = len(self.files) // len(self.regions)
        return [self.files[index::count] for index in range(count)]


def region_names(region: str | Sequence[str]) -> tuple[str, ...]:
    """The names in 'mouth', 'full,eyes,mouth' or ('full', 'eyes', 'mouth').

    Raises:
        UserError: one is there twice.
    """
    names = tuple(region.split(",") if isinstance(region, str) else region)
    if len(set(names)) < len(names):
        raise UserError(f"--region={','.join(names)} has a region twice; name each once")
    return names


def find_shards(data: str | Path, region: str | Sequence[str], split: str) -> Shards:
    """Finds the shards of a split.

    Args:
        data: what `convert` had as --output.
        region: one or several of the converted regions, as in `region_names`.
        split: train, val or test.

    Raises:
        UserError: there are no such records, a shard is missing or truncated, or regions don't go together.
    """
    regions = region_names(region)
    data = as_path(data)
    conversion = read_conversion(data)
    for name in regions:
        if name not in conversion.regions:
            raise UserError(f"no region '{name}' in {data}; it has {', '.join(conversion.regions)}")
    if split not in SPLITS:
        raise UserError(f"unknown split '{split}'; choose from {', '.join(SPLITS)}")
    if not conversion.complete:
        raise UserError(f"the conversion in {data} is not finished; run the same convert command again")
    spec = ClipSpec.from_dict(conversion.spec)
    if spec.hash != conversion.spec_hash:
        raise UserError(f"{data / CONVERSION_FILE} was changed by hand or by another version; convert again")
    files, lengths = zip(*(_files_of_region(data, name, split) for name in regions), strict=True)
    if len(set(lengths)) > 1:
        raise UserError(f"the {split} splits of {','.join(regions)} in {data} differ; convert them together")
    num_videos = conversion.counts[split]["videos"]
    all_files = tuple(itertools.chain(*files))
    return Shards(regions, all_files, sum(lengths[0]), num_videos, spec, conversion.plan)


@contextmanager
def explained_data_loss(files: tuple[str, ...]) -> Iterator[None]:
    """Turns TensorFlow's data loss error into a UserError that names the shard and the position."""
    try:
        yield
    except tf.errors.DataLossError:
        raise UserError(find_damage(files) or "a shard was damaged while it was read") from None


def find_damage(files: tuple[str, ...]) -> str:
    """Reads every record and tells, in a sentence, which shard is damaged where; '' when none is."""
    for file in files:
        count = 0
        try:
            for _ in tf.data.TFRecordDataset(file):
                count += 1
        except tf.errors.DataLossError:
            return (
                f"shard {file} is truncated or damaged after {count} records; "
                "delete it and run the same convert command again"
            )
    return ""


def _files_of_region(data: Path, region: str, split: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The paths of a region's shards, and how many clips each holds."""
    info = json.loads((data / region / "dataset_info.json").read_text(encoding="utf-8"))
    by_split = {entry["name"]: entry for entry in info["splits"]}
    lengths = tuple(int(length) for length in by_split.get(split, {"shardLengths": ()})["shardLengths"])
    if sum(lengths) == 0:
        raise UserError(f"the {split} split of region '{region}' in {data} is empty; convert more videos")
    names = (f"{info['name']}-{split}.tfrecord-{i:05d}-of-{len(lengths):05d}" for i in range(len(lengths)))
    files = tuple(str(data / region / name) for name in names)
    _check_sizes(files, int(by_split[split]["numBytes"]))
    return files, lengths


def _check_sizes(files: tuple[str, ...], expected_bytes: int) -> None:
    for file in files:
        if not as_path(file).is_file():
            raise UserError(f"shard {file} is missing; run the same convert command again")
    found = sum(as_path(file).stat().st_size for file in files)
    if found != expected_bytes:
        raise UserError(
            find_damage(files)
            or f"the shards of {as_path(files[0]).parent} have {found} bytes instead of {expected_bytes}; "
            "convert again into a new folder"
        )
