"""contact_sheet.html: one page to check a conversion by eye."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import LABEL_NAMES, Video
from deepfake_tfdata.files import write_text
from deepfake_tfdata.records.face_sizes import FaceSizes
from deepfake_tfdata.records.job import ConversionJob
from deepfake_tfdata.records.ledger import OK, LedgerEntry, read_ledger
from deepfake_tfdata.records.metadata import Conversion
from deepfake_tfdata.records.output import explained_write_errors
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.reports.pages import Picture, render
from deepfake_tfdata.reports.plots.faces import face_size_histogram
from deepfake_tfdata.reports.strips import FRAMES_SHOWN, StripMaker

CONTACT_SHEET = "contact_sheet.html"
_WORST_SHOWN = 12  # of each kind
_VIDEOS_SHOWN = 60
_FAILURES_SHOWN = 100


@dataclass(frozen=True)
class ConvertedVideo:
    """A video with clips, and the shard that they are in."""

    video: Video
    entry: LedgerEntry
    shard: ShardPlan

    def coverage(self, num_frames: int) -> float:
        """In which share of its frames the face was found."""
        return self.entry.faces.frames_found / (num_frames * self.entry.clips)


def write_contact_sheet(job: ConversionJob, conversion: Conversion) -> None:
    """Writes OUTPUT/contact_sheet.html, which follows from the records alone.

    Args:
        job: what was converted.
        conversion: what came of it; the crops of all its regions are shown, earlier runs' too.

    Raises:
        UserError: a shard has been damaged since it was written, or the page can't be written.
    """
    output, spec = job.output, job.spec
    with explained_write_errors(output):
        entries = read_ledger(output)
        converted = list(_converted(job.shards, entries))
        strips = StripMaker(output, conversion.regions, spec)
        sections = {
            heading: [_picture(item, strips, spec.num_frames) for item in members]
            for heading, members in choose(converted, spec.num_frames)
        }
        failures = [entry for entry in entries.values() if entry.status != OK]
        statuses = sorted({entry.status for entry in entries.values()}, key=lambda name: (name != OK, name))
        page = render(
            "contact_sheet.html",
            title="Contact sheet of a conversion",
            lead=_lead(len(converted), len(entries), failures),
            statuses=statuses,
            counts=_counts(job.shards, entries, statuses),
            failures=failures[:_FAILURES_SHOWN],
            more_failures=len(failures[_FAILURES_SHOWN:]),
            faces=_faces(FaceSizes(**conversion.face_sizes)) if conversion.face_sizes else None,
            legend=_legend(conversion.regions),
            strips=sections,
        )
        write_text(output / CONTACT_SHEET, page)


def choose(
    converted: Sequence[ConvertedVideo], num_frames: int
) -> Iterator[tuple[str, list[ConvertedVideo]]]:
    """The videos to show under their headings: the worst, then others that only their names decide.

    Args:
        converted: all videos with clips, in any order.
        num_frames: T.
    """
    rest = sorted(converted, key=lambda item: hashlib.sha256(item.video.key.encode()).digest())
    by_jitter = sorted(rest, key=lambda item: -(item.entry.faces.jitter_smooth or 0.0))
    by_coverage = sorted(rest, key=lambda item: item.coverage(num_frames))
    shown: set[str] = set()
    for heading, items, count in (
        ("Highest jitter", [item for item in by_jitter if item.entry.faces.jitter_smooth], _WORST_SHOWN),
        ("Lowest coverage", [item for item in by_coverage if item.coverage(num_frames) < 1], _WORST_SHOWN),
        ("Others, by chance", rest, _VIDEOS_SHOWN),
    ):
        members = [item for item in items if item.video.key not in shown][
            : min(count, _VIDEOS_SHOWN - len(shown))
        ]
        shown |= {item.video.key for item in members}
        if members:
            yield heading, members


def _converted(plan: Iterable[ShardPlan], entries: Mapping[str, LedgerEntry]) -> Iterator[ConvertedVideo]:
    for shard in plan:
        for video in shard.videos:
            if entries[video.key].clips:
                yield ConvertedVideo(video, entries[video.key], shard)


def _counts(
    plan: Iterable[ShardPlan], entries: Mapping[str, LedgerEntry], statuses: Sequence[str]
) -> list[dict[str, object]]:
    """How many clips and videos by status every split and class has, a row each."""
    counts: Counter[tuple[str, int, str]] = Counter()
    clips: Counter[tuple[str, int]] = Counter()
    for shard in plan:
        for video in shard.videos:
            counts[shard.split, video.label, entries[video.key].status] += 1
            clips[shard.split, video.label] += entries[video.key].clips
    return [
        {
            "split": split,
            "label": name,
            "clips": clips[split, label],
            "by_status": [counts[split, label, status] for status in statuses],
        }
        for split in SPLITS
        for label, name in enumerate(LABEL_NAMES)
        if (split, label) in clips
    ]


def _faces(sizes: FaceSizes) -> dict[str, object]:
    """The histogram, its figures in rows, and a row a region."""
    ranges = [f"{low:.0f} to {high:.0f}" for low, high in zip(sizes.edges[:-1], sizes.edges[1:], strict=True)]
    return {
        "plot": Picture.of(
            face_size_histogram(sizes.counts, sizes.edges, sizes.frame_size),
            "face_sizes",
            "Histogram of face sizes by class",
        ),
        "classes": list(sizes.counts),
        "bins": [
            {"range": name, "counts": counts}
            for name, *counts in zip(ranges, *sizes.counts.values(), strict=True)
        ],
        "quantiles": [
            {"share": f"{float(share):.0%}", "size": f"{size:.0f} px"}
            for share, size in sizes.quantiles.items()
        ],
        "regions": [
            {
                "name": region,
                "seen": [f"{across:.2f} × {down:.2f}" for across, down in seen.values()],
                "reduced": f"{sizes.reduced[region]:.0%}",
            }
            for region, seen in sizes.density.items()
        ],
    }


def _picture(item: ConvertedVideo, strips: StripMaker, num_frames: int) -> Picture:
    key = item.video.key
    return Picture(f"crops of {key}", strips.make(key, item.shard), key, _note(item, num_frames))


def _note(item: ConvertedVideo, num_frames: int) -> str:
    faces = item.entry.faces
    parts = [
        LABEL_NAMES[item.video.label],
        item.shard.split,
        f"face found {item.coverage(num_frames):.0%}",
    ]
    if faces.jitter_smooth is not None:
        parts.append(f"jitter {faces.jitter_smooth:.2%} of the face")
    if faces.face_size is not None:
        parts.append(f"face {faces.face_size:.0f} px")
    return ", ".join(parts)


def _lead(num_converted: int, num_videos: int, failures: Sequence[LedgerEntry]) -> str:
    reasons = Counter(entry.status for entry in failures).most_common()
    failed = "".join(f", {count:,} {status.replace('_', ' ')}" for status, count in reasons)
    return f"{num_converted:,} of {num_videos:,} videos gave clips{failed}."


def _legend(regions: Sequence[str]) -> str:
    return (
        f"{FRAMES_SHOWN} frames from first to last; rows: {', '.join(regions)}. In an orange frame the face "
        "was not found, and its box is carried over from the neighbours."
    )
