"""The local runner: fills shards with the clips of worker processes on this machine."""

from collections.abc import Sequence
from contextlib import closing
from itertools import islice

from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.records.shard_writer import OnVideo, write_shard
from deepfake_tfdata.records.worker import Work
from deepfake_tfdata.records.worker_pool import process_in_order
from deepfake_tfdata.storage import AnyPath


def fill_shards(
    shards: Sequence[ShardPlan],
    regions: Sequence[str],
    output: AnyPath,
    work: Work,
    workers: int,
    on_video: OnVideo,
) -> None:
    """Writes shards one after another, while the workers are already at the next ones' videos.

    Args:
        shards: those to write.
        regions: names; each has a folder in output.
        output: the folder of records.
        work: from a video to its clips by region.
        workers: processes.
        on_video: called after each video.
    """
    videos = [video for shard in shards for video in shard.videos]
    # Closed also when writing fails: that is what ends the workers.
    with closing(process_in_order(videos, work, workers)) as outcomes:
        for shard in shards:
            write_shard(shard, regions, output, islice(outcomes, len(shard.videos)), on_video)
