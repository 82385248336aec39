"""Which shards of a folder are whole: as large as the index says, with the clips that the ledger knows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deepfake_tfdata.records.index import IndexedClip, by_shard, file_size, read_index
from deepfake_tfdata.records.ledger import LedgerEntry
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.storage import AnyPath, file_sizes


@dataclass(frozen=True)
class WrittenShard:
    """What a region's folder has of a shard.

    Attributes:
        clips: in its index.
        size: of its file, bytes; None where there is none.
    """

    clips: Sequence[IndexedClip]
    size: int | None

    def is_whole(self, videos: Sequence[str]) -> bool:
        """Whether file and index agree, and have one clip for each of the video keys, in that order."""
        return self.size == file_size(self.clips) and [clip.video_key for clip in self.clips] == list(videos)


def split_by_completeness(
    shards: Iterable[ShardPlan],
    regions: Sequence[str],
    output: AnyPath,
    entries: Mapping[str, LedgerEntry],
) -> tuple[list[ShardPlan], list[ShardPlan]]:
    """The shards that are whole in every region, and those to write again in all of them.

    Args:
        shards: of the plan.
        regions: names; each has a folder in output.
        output: the folder of records.
        entries: of the ledger, by video key.
    """
    shards = list(shards)
    regional = [_written(output / region, region, shards) for region in regions]
    complete: list[ShardPlan] = []
    missing: list[ShardPlan] = []
    for shard, *written in zip(shards, *regional, strict=True):
        videos = _videos_with_clips(shard, entries)
        whole = videos is not None and all(each.is_whole(videos) for each in written)
        (complete if whole else missing).append(shard)
    return complete, missing


def _written(folder: AnyPath, region: str, shards: Sequence[ShardPlan]) -> list[WrittenShard]:
    clips = by_shard(read_index(folder))
    sizes = file_sizes([folder / shard.file_name(region) for shard in shards])
    return [WrittenShard(clips.get(shard.name, ()), size) for shard, size in zip(shards, sizes, strict=True)]


def _videos_with_clips(shard: ShardPlan, entries: Mapping[str, LedgerEntry]) -> list[str] | None:
    """The key of every clip's video in order; None where the ledger does not know all videos."""
    if not all(video.key in entries for video in shard.videos):
        return None
    return [video.key for video in shard.videos for _ in range(entries[video.key].clips)]
