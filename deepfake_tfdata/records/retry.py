"""Videos that failed for a reason that may be gone by now, and the shards to write again for them."""

from collections.abc import Iterable, Mapping, Sequence

from deepfake_tfdata.records.ledger import LedgerEntry
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.storage import AnyPath

# The machine, the network or a file's permissions may be at fault; any other reason is in the video itself.
_MAY_PASS = ("crashed", "timed_out", "unreachable", "unreadable", "failed")


def may_pass(entry: LedgerEntry) -> bool:
    """Whether another attempt at the video may go better."""
    return entry.status in _MAY_PASS


def discard_failed(
    shards: Iterable[ShardPlan], regions: Sequence[str], output: AnyPath, entries: Mapping[str, LedgerEntry]
) -> None:
    """Deletes the shards that lack a video whose failure may pass, in every region.

    Deleted before the work and not replaced after it: whenever the run is interrupted, the next one finds
    them missing and writes them as a whole.
    """
    for shard in shards:
        if any(video.key in entries and may_pass(entries[video.key]) for video in shard.videos):
            for region in regions:
                (output / region / shard.file_name(region)).unlink(missing_ok=True)
