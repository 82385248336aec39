"""Which video goes into which shard, and in which order: a pure function of the videos and the spec."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deepfake_tfdata.clips.regions import region_named
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import Video

# Only the number of shards and the dry run's figures depend on these two, measured on face crops.
_BYTES_PER_PIXEL = {"raw": 3.0, "png": 1.6, "webp": 1.1, "jpeg": 0.4}
_NATIVE_SIDE = 250  # pixels of a face in videos of 480p to 1080p


@dataclass(frozen=True)
class ShardPlan:
    """One shard: the same videos in the same order for every region.

    Attributes:
        split: train, val or test.
        index, count: NNNNN-of-NNNNN.
        videos: in the order of the records.
    """

    split: str
    index: int
    count: int
    videos: tuple[Video, ...]

    @property
    def name(self) -> str:
        """Its name beside its split's other shards."""
        return shard_name(self.split, self.index)

    def file_name(self, region: str) -> str:
        """The shard's name for a region, as TensorFlow Datasets expects it."""
        return f"deepfake_{region}-{self.split}.tfrecord-{self.index:05d}-of-{self.count:05d}"


def shard_name(split: str, index: int) -> str:
    """The name of a shard among those of all splits, such as train-00003."""
    return f"{split}-{index:05d}"


def plan_shards(
    videos: Iterable[Video],
    splits: Mapping[str, str],
    spec: ClipSpec,
    shard_mib: float,
    limit: int | None = None,
) -> list[ShardPlan]:
    """Divides the videos of every split into shards of about `shard_mib`.

    The order is by hash of the key: real and fake, and all identities, are mixed within every shard, and
    neither worker count nor finishing order can change it.

    Args:
        videos: those to convert.
        splits: the split by video key; a video without one is not planned.
        spec: decides the size of a clip.
        shard_mib: about how large a shard of the full face gets.
        limit: plans only that many videos, the first in order.
    """
    videos_per_shard = max(1, int(shard_mib * 2**20 / expected_video_bytes(spec)))
    known = (video for video in videos if video.key in splits)
    ordered = sorted(known, key=lambda video: (_digest(video.key), video.key))[:limit]
    shards = []
    for split in SPLITS:
        members = [video for video in ordered if splits[video.key] == split]
        count = math.ceil(len(members) / videos_per_shard)
        for index in range(count):
            # Even shares, so that the last shard is no stub.
            first, last = (len(members) * i // count for i in (index, index + 1))
            shards.append(ShardPlan(split, index, count, tuple(members[first:last])))
    return shards


def expected_video_bytes(spec: ClipSpec, region: str = "full") -> float:
    """About how many bytes a video takes in the shards of a region."""
    pixels: float = spec.frame_size**2
    if spec.geometry == "native":
        side = min(_NATIVE_SIDE, spec.max_side or _NATIVE_SIDE)
        pixels = side**2 * region_named(region).area
    return spec.clips_per_video * spec.num_frames * pixels * _BYTES_PER_PIXEL[spec.encoding]


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
