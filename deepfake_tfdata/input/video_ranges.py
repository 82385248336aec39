"""Between what limits some videos lie: what a detector has seen, and what it has not."""

from collections.abc import Mapping

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.input.shards import Shards
from deepfake_tfdata.records.ledger import LedgerEntry, read_ledger
from deepfake_tfdata.storage import AnyPath


def video_ranges(folder: AnyPath, shards: Shards) -> dict[str, tuple[float, float]]:
    """The smallest and the largest of what the ledger tells of the videos of some clips.

    Args:
        folder: of the records.
        shards: of a split.

    Returns:
        By name: `face_pixels`, `bits_a_pixel`, `coverage` (of the sampled frames by the face) and
        `frame_seconds`; what no video has, as in ledgers of an earlier version, is missing.
    """
    ledger = read_ledger(folder)
    keys = {clip.video_key for clip in shards.clips[0]}
    measured = [_measured(ledger[key], shards.spec.num_frames) for key in keys if key in ledger]
    found: dict[str, list[float]] = {}
    for values in measured:
        for name, value in values.items():
            if value is not None:
                found.setdefault(name, []).append(value)
    return {name: (min(values), max(values)) for name, values in found.items()}


def _measured(entry: LedgerEntry, num_frames: int) -> Mapping[str, float | None]:
    faces: FaceStatistics = entry.faces
    return {
        "face_pixels": faces.face_size,
        "bits_a_pixel": faces.bits_a_pixel,
        "coverage": min(1.0, faces.frames_found / (num_frames * max(1, entry.clips))),
        "frame_seconds": faces.frame_seconds,
    }
