"""contact_sheet.html: one self-contained page to check a conversion by eye."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import LABEL_NAMES, Video
from deepfake_tfdata.files import write_text
from deepfake_tfdata.page import Html, figures, page, section, table
from deepfake_tfdata.records.example import decode_frames, parse_example
from deepfake_tfdata.records.ledger import OK, LedgerEntry
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.storage import AnyPath

CONTACT_SHEET = "contact_sheet.html"
_WORST_SHOWN = 12  # of each kind
_VIDEOS_SHOWN = 60
_FAILURES_SHOWN = 100
_FRAMES_SHOWN = 8
_CROP_WIDTH = 80  # pixels
_GAP = 2
_RED = (213, 94, 0)


@dataclass(frozen=True)
class ConvertedVideo:
    """A video with clips, and where the first of them is."""

    video: Video
    entry: LedgerEntry
    shard: ShardPlan
    position: int

    def coverage(self, num_frames: int) -> float:
        """In which share of its frames the face was found."""
        return self.entry.faces.frames_found / (num_frames * self.entry.clips)


def write_contact_sheet(
    output: AnyPath,
    regions: Sequence[str],
    spec: ClipSpec,
    plan: Sequence[ShardPlan],
    entries: Mapping[str, LedgerEntry],
) -> None:
    """Writes OUTPUT/contact_sheet.html, which follows from the records alone.

    Args:
        output: the folder of finished records.
        regions: whose crops to show, from top to bottom.
        spec, plan: of the conversion.
        entries: of the ledger, by video key.
    """
    converted = list(_converted(plan, entries))
    failures = [entry for entry in entries.values() if entry.status != OK]
    sections = [section("Videos", _counts(plan, entries))]
    if failures:
        sections.append(section("Not used", *_failures(failures)))
    legend = (
        f"{_FRAMES_SHOWN} frames from first to last; rows: {', '.join(regions)}. In an orange frame the face "
        "was not found, and its box is carried over from the neighbours."
    )
    for heading, members in choose(converted, spec.num_frames):
        strips = (
            (item.video.key, _note(item, spec), _strip(item, regions, spec, output)) for item in members
        )
        sections.append(section(heading, legend, figures(strips)))
    lead = f"{len(converted):,} of {len(entries):,} videos gave clips"
    reasons = Counter(entry.status for entry in failures).most_common()
    lead += "".join(f", {count:,} {status.replace('_', ' ')}" for status, count in reasons) + "."
    write_text(output / CONTACT_SHEET, page("Contact sheet of a conversion", lead, sections))


def _converted(plan: Iterable[ShardPlan], entries: Mapping[str, LedgerEntry]) -> Iterator[ConvertedVideo]:
    for shard in plan:
        position = 0
        for video in shard.videos:
            entry = entries[video.key]
            if entry.clips:
                yield ConvertedVideo(video, entry, shard, position)
            position += entry.clips


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


def _counts(plan: Iterable[ShardPlan], entries: Mapping[str, LedgerEntry]) -> Html:
    counts: Counter[tuple[str, int, str]] = Counter()
    clips: Counter[tuple[str, int]] = Counter()
    for shard in plan:
        for video in shard.videos:
            counts[shard.split, video.label, entries[video.key].status] += 1
            clips[shard.split, video.label] += entries[video.key].clips
    statuses = sorted({status for _, _, status in counts}, key=lambda status: (status != OK, status))
    rows = [
        (
            split,
            LABEL_NAMES[label],
            clips[split, label],
            *(counts[split, label, status] for status in statuses),
        )
        for split in SPLITS
        for label in range(len(LABEL_NAMES))
        if any(counts[split, label, status] for status in statuses)
    ]
    return table(("split", "class", "clips", *statuses), rows)


def _failures(failures: Sequence[LedgerEntry]) -> tuple[str, ...]:
    rows = [(entry.video, entry.status, entry.reason) for entry in failures[:_FAILURES_SHOWN]]
    more = len(failures) - len(rows)
    notes = (f"and {more:,} more in ledger.jsonl",) if more else ()
    return (table(("video", "status", "reason"), rows), *notes)


def _note(item: ConvertedVideo, spec: ClipSpec) -> str:
    faces = item.entry.faces
    parts = [
        LABEL_NAMES[item.video.label],
        item.shard.split,
        f"face found {item.coverage(spec.num_frames):.0%}",
    ]
    if faces.jitter_smooth is not None:
        parts.append(f"jitter {faces.jitter_smooth:.2%} of the face")
    if faces.face_size is not None:
        parts.append(f"face {faces.face_size:.0f} px")
    return ", ".join(parts)


def _strip(item: ConvertedVideo, regions: Sequence[str], spec: ClipSpec, output: AnyPath) -> bytes:
    """One JPEG: a row a region, a column a frame."""
    rows = []
    for region in regions:
        path = output / region / item.shard.file_name(region)
        # The reader skips records by their lengths, without reading them.
        (record,) = tf.data.TFRecordDataset(str(path)).skip(item.position).take(1)
        rows.append(_row(parse_example(record, spec.num_frames), spec))
    return tf.io.encode_jpeg(tf.concat(rows, axis=0), quality=85).numpy()


def _row(features: Mapping[str, tf.Tensor], spec: ClipSpec) -> tf.Tensor:
    """uint8 [height, width, 3]: some of a clip's frames side by side."""
    count = min(_FRAMES_SHOWN, spec.num_frames)
    chosen = [round(step * (spec.num_frames - 1) / max(count - 1, 1)) for step in range(count)]
    encoded = tf.gather(features["frames"], chosen)
    images = decode_frames(encoded, spec.encoding, count, features["height"], features["width"])
    height, width = images.shape[1:3]
    size = (max(1, round(_CROP_WIDTH * height / width)), _CROP_WIDTH)
    small = tf.saturate_cast(tf.round(tf.image.resize(images, size, antialias=True)), tf.uint8)
    found = tf.gather(features["face_found"], chosen)
    cells = [
        _framed(image, (255, 255, 255) if here else _RED) for image, here in zip(small, found, strict=True)
    ]
    return tf.concat(cells, axis=1)


def _framed(image: tf.Tensor, colour: tuple[int, int, int]) -> tf.Tensor:
    channels = [
        tf.pad(image[..., c], [[_GAP, _GAP], [_GAP, _GAP]], constant_values=tf.cast(value, tf.uint8))
        for c, value in enumerate(colour)
    ]
    return tf.stack(channels, axis=-1)
