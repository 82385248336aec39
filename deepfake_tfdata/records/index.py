"""clips.jsonl: where every clip of a region lies in its shards, and what it is, a line each.

With it a clip is read without its neighbours: shuffled, resumed, balanced and shared among hosts by
arithmetic.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.files import PartedFile
from deepfake_tfdata.records.plan import shard_name
from deepfake_tfdata.storage import AnyPath

INDEX_FILE = "clips.jsonl"
# A TFRecord's length and its checksum before the data, a checksum after (TensorFlow's record_writer.h).
RECORD_FRAME_BYTES = 12 + 4


@dataclass(frozen=True)
class IndexedClip:
    """One clip's place and what can be known of it without reading it.

    Attributes:
        split, shard: train, val or test; the shard's number in it.
        offset: of the record in the shard's file, bytes.
        length: of the serialized Example, bytes.
        height, width: of its images, pixels.
        label, clip_id, video_id, manipulation, target_id, source_id: as in the record.
        component: of the identities that fakes join; clips of different components are independent.
    """

    split: str
    shard: int
    offset: int
    length: int
    height: int
    width: int
    label: int
    clip_id: str
    video_id: str
    manipulation: str
    target_id: str
    source_id: str
    component: str

    @property
    def video_key(self) -> str:
        """As the ledger has it."""
        return f"{self.manipulation}/{self.video_id}"

    @property
    def end(self) -> int:
        """The first byte after its record."""
        return self.offset + self.length + RECORD_FRAME_BYTES


def indexed(clip: Clip, split: str, shard: int, offset: int, length: int) -> IndexedClip:
    """The line of a clip whose record was written at an offset."""
    video = clip.video
    return IndexedClip(
        split,
        shard,
        offset,
        length,
        clip.height,
        clip.width,
        video.label,
        clip.clip_id,
        video.video_id,
        video.manipulation,
        video.target_id,
        video.source_id,
        video.component,
    )


def by_shard(clips: Iterable[IndexedClip]) -> dict[str, list[IndexedClip]]:
    """The clips of each shard, in their order, by the shard's name."""
    shards: dict[str, list[IndexedClip]] = {}
    for clip in clips:
        shards.setdefault(shard_name(clip.split, clip.shard), []).append(clip)
    return shards


def file_size(clips: Sequence[IndexedClip]) -> int | None:
    """How many bytes a shard has that holds these clips and nothing else; None where they leave gaps."""
    ends = [0, *(clip.end for clip in clips)]
    return ends[-1] if [clip.offset for clip in clips] == ends[:-1] else None


def read_index(folder: AnyPath) -> list[IndexedClip]:
    """The clips of a region's folder in the order of its records, unfinished conversions' too.

    A line that is no entry is left out. What a part says of a shard replaces what was said before.
    """
    shards: dict[tuple[str, int], list[IndexedClip]] = {}
    for lines in _file(folder).read():
        found: dict[tuple[str, int], list[IndexedClip]] = {}
        for line in lines:
            with suppress(ValueError, TypeError):
                clip = IndexedClip(**json.loads(line))
                found.setdefault((clip.split, clip.shard), []).append(clip)
        shards.update(found)
    return [clip for _, clips in sorted(shards.items()) for clip in clips]


def write_index_part(folder: AnyPath, name: str, clips: Iterable[IndexedClip]) -> None:
    """Writes the lines of one shard of a region."""
    _file(folder).write_part(name, _lines(clips))


def write_index(folder: AnyPath, clips: Sequence[IndexedClip]) -> None:
    """Writes a region's whole index, which replaces its parts."""
    _file(folder).write(_lines(clips))


def _lines(clips: Iterable[IndexedClip]) -> list[str]:
    return [json.dumps(vars(clip)) for clip in clips]


def _file(folder: AnyPath) -> PartedFile:
    return PartedFile(folder / INDEX_FILE)
