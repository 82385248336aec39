"""The JSON files beside the shards: two that TensorFlow Datasets reads, and the record of the conversion."""

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import LABEL_NAMES
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import write_json
from deepfake_tfdata.records.ledger import LedgerEntry
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.records.provenance import Provenance
from deepfake_tfdata.storage import AnyPath, as_path

CONVERSION_FILE = "conversion.json"
_TFDS_FEATURES = "tensorflow_datasets.core.features"
_PACKAGES = ("deepfake-tfdata", "tensorflow", "numpy")


@dataclass(frozen=True)
class Conversion:
    """What conversion.json says of a folder of records.

    Attributes:
        spec: as ClipSpec.to_dict gives it.
        spec_hash: its hash.
        regions: the regions that have a folder.
        provenance: what decides their bytes beside the spec, as Provenance.to_dict gives it.
        source: how its videos were divided, how many are left out and why, and how many are faces that were
            already resized (`not_native`).
        plan: a fingerprint of which videos go where.
        complete: whether every shard is written.
        counts: by split, shards and videos, real and fake clips, and videos by status; `planned` has the
            videos by class and method, whether or not they gave a clip, and `without_clips` says of those
            that gave none what the index says of the others.
        versions: of Python and of packages that should decide no byte.
        face_sizes: as FaceSizes has them; empty until the conversion is complete.
    """

    spec: dict[str, Any]
    spec_hash: str
    regions: list[str]
    provenance: dict[str, Any]
    source: dict[str, Any]
    plan: str
    complete: bool
    counts: dict[str, Any]
    versions: dict[str, str]
    face_sizes: dict[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Twelve hexadecimal digits that differ for other clips, other videos, another split or origin."""
        return _checksum({"spec": self.spec_hash, "plan": self.plan, "provenance": self.provenance})

    @property
    def about(self) -> dict[str, str]:
        """Which data this is, for whoever reads a result on it."""
        provenance = Provenance(**self.provenance)
        return {
            "name": provenance.name,
            "identity": self.identity,
            "sources": provenance.sources,
            **{f"version of {what}": version for what, version in provenance.versions.items()},
        }


def read_conversion(folder: AnyPath) -> Conversion:
    """Reads FOLDER/conversion.json.

    Raises:
        UserError: there is none, with the command that makes one, or it is not what was written.
    """
    path = folder / CONVERSION_FILE
    if not path.is_file():
        raise UserError(
            f"no records in {folder}; make them with "
            f"'python -m deepfake_tfdata.convert --source=DIR --output={folder}'"
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        checksum = values.pop("checksum")
        conversion = Conversion(**values)
        _ = [conversion.counts[split]["planned"] for split in conversion.counts]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UserError(
            f"{path} is damaged or of another version of this project; convert again into a new folder"
        ) from None
    if checksum != _checksum(vars(conversion)):
        raise UserError(
            f"{path} is not what was written, so nobody knows what the records are; put it back, or "
            "convert again into a new folder"
        )
    return conversion


def find_conversion(data: str | AnyPath, regions: Sequence[str]) -> Conversion:
    """The finished conversion in a folder that has all of some regions.

    Raises:
        UserError: there is none.
    """
    folder = as_path(data)
    conversion = read_conversion(folder)
    for name in regions:
        if name not in conversion.regions:
            raise UserError(f"no region '{name}' in {folder}; it has {', '.join(conversion.regions)}")
    if not conversion.complete:
        raise UserError(f"the conversion in {folder} is not finished; run the same convert command again")
    return conversion


def write_conversion(folder: AnyPath, conversion: Conversion) -> None:
    """Writes FOLDER/conversion.json, with a checksum that tells when it was edited."""
    values = vars(conversion)
    write_json(folder / CONVERSION_FILE, {**values, "checksum": _checksum(values)})


def _checksum(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


def package_versions() -> dict[str, str]:
    """The versions of what a conversion runs on, for the record."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "unknown"
    return versions


def count_videos(plan: Sequence[ShardPlan], entries: Mapping[str, LedgerEntry]) -> dict[str, Any]:
    """Counts by split, as `Conversion` has them."""
    counts = {}
    for split in SPLITS:
        videos = [video for shard in plan if shard.split == split for video in shard.videos]
        counts[split] = {
            "shards": sum(shard.split == split for shard in plan),
            "videos": len(videos),
            "real": sum(entries[video.key].clips for video in videos if video.label == 0),
            "fake": sum(entries[video.key].clips for video in videos if video.label == 1),
            "planned": {
                name: dict(
                    sorted(Counter(video.manipulation for video in videos if video.label == label).items())
                )
                for label, name in enumerate(LABEL_NAMES)
            },
            "without_clips": [
                {name: getattr(video, name) for name in ("component", "label", "manipulation")}
                for video in videos
                if not entries[video.key].clips
            ],
            "status": dict(sorted(Counter(entries[video.key].status for video in videos).items())),
        }
    return counts


def write_tfds_metadata(
    folder: AnyPath,
    region: str,
    spec: ClipSpec,
    plan: Sequence[ShardPlan],
    entries: Mapping[str, LedgerEntry],
) -> None:
    """Writes features.json and dataset_info.json, so that `tfds.builder_from_directory(folder)` works.

    Args:
        folder: of the region; the shards are in it.
        region: its name.
        spec, plan: of the conversion.
        entries: of the ledger, by video key; they give the counts, so that nothing is scanned again.
    """
    write_json(folder / "features.json", _features(spec))
    splits = []
    for split in SPLITS:
        shards = [shard for shard in plan if shard.split == split]
        if shards:
            lengths = [sum(entries[video.key].clips for video in shard.videos) for shard in shards]
            size = sum((folder / shard.file_name(region)).stat().st_size for shard in shards)
            splits.append(
                {
                    "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
                    "name": split,
                    "numBytes": str(size),
                    "shardLengths": [str(length) for length in lengths],
                }
            )
    info = {
        "name": f"deepfake_{region}",
        "version": "1.0.0",
        "description": f"Face video clips, region '{region}', clip spec {spec.hash}.",
        "fileFormat": "tfrecord",
        "splits": splits,
    }
    write_json(folder / "dataset_info.json", info)


def _features(spec: ClipSpec) -> dict[str, Any]:
    frames = str(spec.num_frames)
    text = {"pythonClassName": f"{_TFDS_FEATURES}.text_feature.Text", "text": {}}
    features = {
        "frames": {
            "pythonClassName": f"{_TFDS_FEATURES}.sequence_feature.Sequence",
            "sequence": {"feature": _frame(spec) or text, "length": frames},
        },
        "label": {
            "pythonClassName": f"{_TFDS_FEATURES}.class_label_feature.ClassLabel",
            "classLabel": {"numClasses": "2"},
        },
        "frame_indices": _tensor("int64", frames),
        "timestamps": _tensor("float32", frames),
        "boxes": _tensor("float32", frames, "4"),
        "face_found": _tensor("bool", frames),
        "height": _tensor("int64"),
        "width": _tensor("int64"),
    }
    for name in ("clip_id", "video_id", "manipulation", "target_id", "source_id", "spec_hash"):
        features[name] = text
    return {
        "pythonClassName": f"{_TFDS_FEATURES}.features_dict.FeaturesDict",
        "featuresDict": {"features": features},
    }


def _frame(spec: ClipSpec) -> dict[str, Any] | None:
    """A frame as TensorFlow Datasets decodes it; None where it can only hand the bytes on.

    It knows no webp, and no images whose size differs from record to record.
    """
    size = str(spec.frame_size)
    if spec.geometry == "native" or spec.encoding == "webp":
        return None
    if spec.encoding == "raw":
        return _tensor("uint8", size, size, "3", encoding="bytes")
    return {
        "pythonClassName": f"{_TFDS_FEATURES}.image_feature.Image",
        "image": {
            "dtype": "uint8",
            "encodingFormat": spec.encoding,
            "shape": {"dimensions": [size, size, "3"]},
        },
    }


def _tensor(dtype: str, *dimensions: str, encoding: str = "none") -> dict[str, Any]:
    shape = {"dimensions": list(dimensions)} if dimensions else {}
    return {
        "pythonClassName": f"{_TFDS_FEATURES}.tensor_feature.Tensor",
        "tensor": {"dtype": dtype, "encoding": encoding, "shape": shape},
    }
