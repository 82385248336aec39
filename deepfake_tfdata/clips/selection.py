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
from deepfake_tfdata.storage import AnyPath, as_path

# The value of --splits that passes over every list.
BY_HASH = "hash"
CONVERSION_DICT = "conversion_dict.json"


@dataclass(frozen=True)
class Selection:
    """The videos of a source with their splits.

    Attributes:
        layout: the layout's name.
        videos: all that were found, sorted by key.
        assignment: the split of each, or why it has none.
        split_by: what decided, in words.
        summary: lines for a person: what was found, what is missing, how it was divided.
    """

    layout: str
    videos: Sequence[Video]
    assignment: Assignment
    split_by: str
    summary: Sequence[str]


def select_videos(
    source: AnyPath,
    layout: str,
    compression: str,
    manipulations: Sequence[str] | None,
    splits: str | None,
    conversion_dict: AnyPath | None,
    strict_split: bool,
) -> Selection:
    """Recognises a source, finds its videos and divides them.

    Args:
        source, layout: as `find_layout` takes them.
        compression, manipulations: as `read_data_set` takes them.
        splits: folder of the official lists; 'hash' passes over all lists; None takes what ships with the
            data set, and where nothing does, divides by hash.
        conversion_dict: file that names the source video of every identity; with strict_split only.
        strict_split: keeps identities cut from one source video together, too.

    Raises:
        UserError: anything of this is not there or makes no sense, or no video has a split.
    """
    name, place = find_layout(layout, source)
    data = read_data_set(name, place, compression, manipulations)
    groups = _source_videos(data, place, conversion_dict, strict_split)
    given, how = _given_splits(data, splits)
    assignment = assign_splits(data.videos, given, groups)
    if not assignment.splits:
        raise UserError(f"no video of {place} has a split by {how}; check --splits")
    how += ", source videos kept together" if strict_split else ""
    summary = [data.summary(LAYOUTS[name].TITLE), _describe(how, assignment)]
    return Selection(name, data.videos, assignment, how, summary)


def _given_splits(data: DataSet, splits: str | None) -> tuple[Mapping[str, str] | None, str]:
    """The split by video key out of lists, None where there are none; and where it is from."""
    lists = as_path(splits) if splits else data.split_lists
    if splits == BY_HASH or (lists is None and data.splits is None):
        return None, "hash of the identities"
    if lists is None:
        return data.splits, "the data set's own lists"
    unlisted = [video for video in data.videos if data.unlisted.issuperset(video.identities)]
    listed = split_by_identity(data.videos, read_split_lists(lists))
    return {**divide_by_hash(unlisted), **listed}, "split lists"


def _source_videos(
    data: DataSet, place: AnyPath, conversion_dict: AnyPath | None, strict_split: bool
) -> dict[str, str]:
    if not strict_split:
        if conversion_dict:
            raise UserError(
                f"--conversion_dict={conversion_dict} has no effect without --strict_split; add it"
            )
        return {}
    path = conversion_dict or place / CONVERSION_DICT
    if not path.exists():
        raise UserError(
            f"--strict_split needs {path}; name the conversion_dict.json of FaceForensics++ with "
            "--conversion_dict=FILE"
        )
    groups = read_conversion_dict(path)
    if not any(identity in groups for video in data.videos for identity in video.identities):
        raise UserError(f"{path} has none of the identities in {place}; leave --strict_split out")
    return groups


def _describe(how: str, assignment: Assignment) -> str:
    counts = Counter(assignment.splits.values())
    line = f"divided by {how}: " + ", ".join(f"{split} {counts[split]}" for split in SPLITS)
    reasons = Counter(assignment.left_out.values())
    return line + "".join(f"; left out {count}: {reason}" for reason, count in sorted(reasons.items()))
