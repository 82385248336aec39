"""The audit of converted records: the index, the ledger, and the times of the frames in the records."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.audits.composition import check_composition, check_faces
from deepfake_tfdata.audits.copies import find_copied_files
from deepfake_tfdata.audits.finding import FAIL, WARN, Finding, count, names
from deepfake_tfdata.audits.nuisances import Value
from deepfake_tfdata.audits.shortcuts import Measured, find_shortcuts
from deepfake_tfdata.audits.split_leaks import find_split_leaks
from deepfake_tfdata.audits.units import independent_units
from deepfake_tfdata.clips.listing import Listing, listing_of_videos
from deepfake_tfdata.clips.video import ORIGINAL, Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.index import IndexedClip, by_shard, read_index
from deepfake_tfdata.records.ledger import OK, LedgerEntry, read_ledger
from deepfake_tfdata.records.metadata import Conversion, find_conversion
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.storage import AnyPath

# The ledger's words for videos that were read, and whose face was not found or not often enough.
_FACELESS = ("no_face", "few_faces")
_AGAIN = "delete the region's folder and run the same convert command again"


@dataclass(frozen=True)
class Records:
    """A folder of records, as far as its index and ledger tell.

    Attributes:
        folder: with conversion.json in it.
        conversion: what that says.
        clips: by region.
        ledger: by video key.
    """

    folder: AnyPath
    conversion: Conversion
    clips: Mapping[str, Sequence[IndexedClip]]
    ledger: Mapping[str, LedgerEntry]

    @property
    def smallest_region(self) -> str:
        """That with the fewest bytes: every region has the same frames."""
        return min(self.clips, key=lambda region: (sum(clip.length for clip in self.clips[region]), region))

    @property
    def num_clips(self) -> int:
        """Of a region."""
        return len(self.clips[self.smallest_region])

    @property
    def videos(self) -> list[Video]:
        """Those of any region, each once."""
        found = {clip.video_key: clip for clips in self.clips.values() for clip in clips}
        return [
            Video("", clip.video_id, clip.label, clip.manipulation, clip.target_id, clip.source_id)
            for _, clip in sorted(found.items())
        ]

    @property
    def listing(self) -> Listing:
        """The splits of videos and identities."""
        splits: dict[str, set[str]] = {}
        for clip in (clip for clips in self.clips.values() for clip in clips):
            splits.setdefault(clip.video_key, set()).add(clip.split)
        return listing_of_videos("records", self.videos, splits)


def read_records(folder: AnyPath) -> Records:
    """Reads index and ledger.

    Raises:
        UserError: there are no records, or they are not complete.
    """
    conversion = find_conversion(folder, ())
    clips = {region: read_index(folder / region) for region in conversion.regions}
    if not any(clips.values()):
        raise UserError(f"the records in {folder} have no clips; {folder}/ledger.jsonl says why")
    return Records(folder, conversion, clips, read_ledger(folder))


def audit_records(
    records: Records,
    groups: Mapping[str, str],
    read_all: bool,
    on_clip: Callable[[str], None],
) -> list[Finding]:
    """All that can be said of records.

    Args:
        records: to audit.
        groups: the source video of each identity; empty where nobody says.
        read_all: whether to read every record of one region, and not only the first of each shard.
        on_clip: called after each of those, with what is wrong with it.
    """
    spacings, damaged = _read_spacings(records, on_clip) if read_all else ({}, [])
    videos, listing = records.videos, records.listing
    contents = {key: entry.content.partition("-")[0] for key, entry in records.ledger.items()}
    return [
        *find_split_leaks(videos, listing, groups),
        *find_copied_files(videos, listing, contents),
        *_differing_regions(records),
        *_differing_specs(records, damaged),
        *find_shortcuts(_measured(records, independent_units(videos, groups), spacings)),
        *check_composition(videos, listing),
        *_faceless(records),
        *_damaged(damaged),
    ]


def _measured(records: Records, units: Mapping[str, str], spacings: Mapping[str, float]) -> list[Measured]:
    """Every video that the ledger knows, with what that and the records tell of it."""
    spec = records.conversion.spec
    jitter = "jitter_smooth" if spec["tracking"] == "smooth" else "jitter_per_frame"
    measured = []
    for video in records.videos:
        entry = records.ledger.get(video.key)
        if entry is None:
            continue
        visible: dict[str, Value] = {
            "face pixels": entry.faces.face_size,
            "coverage": entry.faces.frames_found / (spec["num_frames"] * max(1, entry.clips)),
            "jitter": getattr(entry.faces, jitter),
            "change of face size": entry.faces.size_range,
            "cuts within clips": entry.faces.cuts,
            "frame spacing": spacings.get(video.key),
        }
        file_only: dict[str, Value] = {"shots": entry.faces.shots, "clips": entry.clips}
        measured.append(Measured(video, units[video.key], visible, file_only))
    return measured


def _read_spacings(records: Records, on_clip: Callable[[str], None]) -> tuple[dict[str, float], list[str]]:
    """Median seconds between the frames of each video's clips, and records that can't be read."""
    from deepfake_tfdata.records.example import read_example

    region = records.smallest_region
    found: dict[str, list[float]] = {}
    damaged = []
    for clip in records.clips[region]:
        note = ""
        try:
            features = read_example(_shard(records, region, clip), clip).features.feature
            steps = np.diff(features["timestamps"].float_list.value)
            found.setdefault(clip.video_key, []).extend(steps.tolist())
        except UserError:
            note = f"{region}: {clip.clip_id} is damaged"
            damaged.append(note)
        on_clip(note)
    return {key: round(float(np.median(steps)), 4) for key, steps in found.items() if steps}, damaged


def _differing_regions(records: Records) -> Iterator[Finding]:
    """Regions that have not the same clips in the same splits: their scores are not of the same videos."""
    places = {
        region: {(clip.clip_id, clip.split) for clip in clips} for region, clips in records.clips.items()
    }
    every = set().union(*places.values())
    lacking = {
        region: sorted(f"{clip_id} ({split})" for clip_id, split in every - own)
        for region, own in places.items()
        if every - own
    }
    for region, clips in lacking.items():
        yield Finding(
            "regions_differ",
            FAIL,
            f"{region} lacks {count(len(clips), 'clip')} that other regions have: {names(clips)}",
            f"compare no scores of these regions; {_AGAIN}",
            {"region": region, "clips": clips},
        )


def _differing_specs(records: Records, damaged: list[str]) -> Iterator[Finding]:
    """Shards whose first record was made with another spec than conversion.json says."""
    from deepfake_tfdata.records.example import read_example

    expected = records.conversion.spec_hash
    others = {}
    for region, clips in records.clips.items():
        for name, members in by_shard(clips).items():
            try:
                example = read_example(_shard(records, region, members[0]), members[0])
            except UserError:
                note = f"{region}: {members[0].clip_id} is damaged"
                damaged += [note] if note not in damaged else []
                continue
            (found,) = example.features.feature["spec_hash"].bytes_list.value or [b""]
            if found.decode() != expected:
                others[f"{region}/{name}"] = found.decode()
    if others:
        shown = [f"{shard} ({found})" for shard, found in others.items()]
        yield Finding(
            "spec_mismatch",
            FAIL,
            f"{count(len(others), 'shard')} of another clip spec than {expected}, which conversion.json has: "
            f"{names(shown)}",
            _AGAIN,
            {"expected": expected, "shards": others},
        )


def _faceless(records: Records) -> Iterator[Finding]:
    labels = {video.manipulation: video.label for video in records.videos}
    read = {key: entry for key, entry in records.ledger.items() if entry.status in (OK, *_FACELESS)}
    videos = []
    for key in read:
        method, _, name = key.partition("/")
        label = labels.get(method, int(method != ORIGINAL))
        videos.append(Video("", name, label, method, name))
    yield from check_faces(videos, {key: entry.status == OK for key, entry in read.items()})


def _damaged(notes: Sequence[str]) -> Iterator[Finding]:
    if notes:
        yield Finding(
            "damaged_records",
            WARN,
            f"{count(len(notes), 'record')} not what was written: {names(notes)}",
            "find all such with python -m tools.inspect_shards DATA, delete their shards and convert again",
            {"records": list(notes)},
        )


def _shard(records: Records, region: str, clip: IndexedClip) -> AnyPath:
    """The file of a clip's shard."""
    number = records.conversion.counts[clip.split]["shards"]
    return records.folder / region / ShardPlan(clip.split, clip.shard, number, ()).file_name(region)
