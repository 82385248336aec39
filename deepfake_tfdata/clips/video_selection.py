"""Which videos of a source are converted, and into which split: layouts and splits joined."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepfake_tfdata.clips.layouts import LAYOUTS, find_layout, read_data_set
from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.splits import (
    SPLITS,
    Assignment,
    assign_splits,
    divide_by_hash,
    read_conversion_dict,
    read_split_lists,
    split_by_identity,
)
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, option
from deepfake_tfdata.storage import AnyPath, as_path

# The value of --splits that passes over every list.
BY_HASH = "hash"
CONVERSION_DICT = "conversion_dict.json"


@dataclass(frozen=True)
class Selection:
    """The videos of a source with their splits.

    Attributes:
        layout: the layout's name.
        compression: of its videos; '' where the layout has but one form.
        videos: all that were found, sorted by key.
        assignment: the split of each, or why it has none.
        split_by: what decided, in words.
        summary: lines for a person: what was found, what is missing, how it was divided.
    """

    layout: str
    compression: str
    videos: Sequence[Video]
    assignment: Assignment
    split_by: str
    summary: Sequence[str]


@dataclass(frozen=True)
class SelectionOptions(Options):
    """The videos and their splits."""

    layout: str = option("auto", "how the source lies on disk", choices=("auto", *LAYOUTS))
    compression: str = option("c23", "of FaceForensics++: raw, c23 or c40")
    manipulations: tuple[str, ...] = option(
        (), "methods to convert beside the originals; all that are there if none is named"
    )
    splits: str = option(
        "",
        f"folder with train.json, val.json and test.json; or '{BY_HASH}': divide the identities by hash, "
        "whatever lists there are; without it the data set's own lists count, else the hash",
        is_path=True,
    )
    strict_split: bool = option(False, "also keep identities cut from one source video together")
    conversion_dict: str = option(
        "",
        f"{CONVERSION_DICT} of FaceForensics++, which says what identities are cut from one source video; "
        "the one in SOURCE if not given",
        is_path=True,
    )


def select_videos(source: AnyPath, options: SelectionOptions) -> Selection:
    """Recognises a source, finds its videos and divides them.

    Args:
        source: as `find_layout` takes it.
        options: which videos, and how to divide them.

    Raises:
        UserError: anything of this is not there or makes no sense, or no video has a split.
    """
    name, place, data = read_source(source, options)
    groups = _source_videos(data, place, options)
    given, how = _given_splits(data, options.splits)
    assignment = assign_splits(data.videos, given, groups)
    if not assignment.splits:
        raise UserError(f"no video of {place} has a split by {how}; check --splits")
    how += ", source videos kept together" if options.strict_split else ""
    summary = [data.summary(LAYOUTS[name].TITLE), _describe(how, assignment), *_resized(data.videos)]
    compression = options.compression if LAYOUTS[name].COMPRESSIONS else ""
    return Selection(name, compression, data.videos, assignment, how, summary)


def read_source(source: AnyPath, options: SelectionOptions) -> tuple[str, AnyPath, DataSet]:
    """The layout of a source, the folder or file that it recognises, and the videos there.

    Args:
        source: as `find_layout` takes it.
        options: which videos.

    Raises:
        UserError: as `find_layout` and `read_data_set`.
    """
    name, place = find_layout(options.layout, source)
    return name, place, read_data_set(name, place, options.compression, options.manipulations or None)


def lists_of(data: DataSet, splits: str) -> AnyPath | None:
    """The folder of lists that --splits names, or else the data set's own; None where neither counts."""
    if splits == BY_HASH:
        return None
    return as_path(splits) if splits else data.split_lists


def _given_splits(data: DataSet, splits: str) -> tuple[Mapping[str, str] | None, str]:
    """The split by video key out of lists, None where there are none; and where it is from."""
    lists = lists_of(data, splits)
    if splits == BY_HASH or (lists is None and data.splits is None):
        return None, "hash of the identities"
    if lists is None:
        return data.splits, "the data set's own lists"
    unlisted = [video for video in data.videos if data.unlisted.issuperset(video.identities)]
    listed = split_by_identity(data.videos, read_split_lists(lists))
    return {**divide_by_hash(unlisted), **listed}, "split lists"


def _source_videos(data: DataSet, place: AnyPath, options: SelectionOptions) -> dict[str, str]:
    if not options.strict_split:
        return {}
    path = as_path(options.conversion_dict) if options.conversion_dict else place / CONVERSION_DICT
    if not path.exists():
        raise UserError(
            f"--strict_split needs {path}; name the conversion_dict.json of FaceForensics++ with "
            "--conversion_dict=FILE"
        )
    groups = read_conversion_dict(path)
    if not any(identity in groups for video in data.videos for identity in video.identities):
        raise UserError(f"{path} has none of the identities in {place}; leave --strict_split out")
    return groups


def _resized(videos: Sequence[Video]) -> list[str]:
    """A warning where there are videos that are not native."""
    count = sum(not video.native for video in videos)
    if not count:
        return []
    return [
        f"{count} of {len(videos)} videos are faces already resized: what native crops mean is lost, since a "
        "strip cut from a resized face holds no new detail"
    ]


def _describe(how: str, assignment: Assignment) -> str:
    counts = Counter(assignment.splits.values())
    line = f"divided by {how}: " + ", ".join(f"{split} {counts[split]}" for split in SPLITS)
    reasons = Counter(assignment.left_out.values())
    return line + "".join(f"; left out {count}: {reason}" for reason, count in sorted(reasons.items()))
