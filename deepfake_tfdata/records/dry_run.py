"""What a conversion would do, in lines for a person; nothing is written and no video is opened."""

from collections import Counter
from collections.abc import Iterable, Mapping

from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import LABEL_NAMES, Video
from deepfake_tfdata.records.job import ConversionJob
from deepfake_tfdata.records.plan import expected_video_bytes
from deepfake_tfdata.storage import as_path, remote_errors

_EXAMPLES = 3


def describe_job(job: ConversionJob) -> list[str]:
    """The plan: videos per split, class and method, shards, size, and what is skipped and why."""
    videos = [video for shard in job.shards for video in shard.videos]
    empty = unusable_files(videos)
    shards = Counter(shard.split for shard in job.shards)
    spec, usable = job.spec, len(videos) - len(empty)
    sizes = (
        f"{region} {_readable(usable * expected_video_bytes(spec, region))}" for region in job.config.regions
    )
    return [
        *_table(job),
        f"shards of each region: {', '.join(f'{split} {shards[split]}' for split in SPLITS)}",
        f"expected size, about: {', '.join(sizes)}",
        *_skipped("in no split", job.selection.assignment.left_out),
        *_skipped("will be skipped", empty),
        "this was a dry run: nothing was written",
    ]


def unusable_files(videos: Iterable[Video]) -> dict[str, str]:
    """Why a video's file can't be one, by key, as far as its folder tells."""
    reasons = {}
    for video in videos:
        try:
            path = as_path(video.path)
            # Of a folder of images some file systems say that it is empty.
            if path.stat().st_size == 0 and not path.is_dir():
                reasons[video.key] = "the file is empty"
        except OSError as error:
            reasons[video.key] = f"the file can't be read: {error.strerror or error}"
        except remote_errors() as error:
            reasons[video.key] = f"the file can't be read: {error}"
    return reasons


def _table(job: ConversionJob) -> list[str]:
    """A line for each split, class and method, in columns."""
    counts = Counter(
        (SPLITS.index(shard.split), video.label, video.manipulation)
        for shard in job.shards
        for video in shard.videos
    )
    rows = [("split", "class", "method", "videos")] + [
        (SPLITS[split], LABEL_NAMES[label], method, str(count))
        for (split, label, method), count in sorted(counts.items())
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _skipped(what: str, reasons: Mapping[str, str]) -> list[str]:
    """A line a reason, with the first few videos of each."""
    lines = []
    for reason, count in sorted(Counter(reasons.values()).items()):
        keys = sorted(key for key, other in reasons.items() if other == reason)
        more = ", ..." if count > _EXAMPLES else ""
        lines.append(f"{what}: {count}, {reason} ({', '.join(keys[:_EXAMPLES])}{more})")
    return lines


def _readable(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:,.3g} TiB"
