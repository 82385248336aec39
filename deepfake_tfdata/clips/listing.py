"""What split lists say as they stand, even where they contradict themselves or let identities cross.

`splits` makes of them a division that leaks nothing; here is what somebody gets who takes them at their word.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.splits import SPLITS, divide_by_hash, read_lists
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.clips.video_selection import BY_HASH, lists_of

# Names of splits, in the order of SPLITS; more than one is a contradiction.
Splits = tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """Which splits everything is in.

    Attributes:
        how: where that stands, in words.
        videos: by video key; a fake whose identities are in different splits has none.
        identities: by identity.
        by_hash: whether no list decided it.
    """

    how: str
    videos: Mapping[str, Splits]
    identities: Mapping[str, Splits]
    by_hash: bool = False


def read_listing(data: DataSet, splits: str) -> Listing:
    """What the lists say that --splits names, or the data set's own; without lists, what the hash says.

    Raises:
        UserError: the folder that --splits names holds no lists.
    """
    lists = lists_of(data, splits)
    if lists is not None:
        unlisted = [video for video in data.videos if data.unlisted.issuperset(video.identities)]
        return listing_of_lists(data.videos, read_lists(lists), divide_by_hash(unlisted))
    several = data.in_several_splits
    if splits == BY_HASH or (data.splits is None and not several):
        hashed = {key: (split,) for key, split in divide_by_hash(data.videos).items()}
        return listing_of_videos("hash of the identities", data.videos, hashed, by_hash=True)
    splits_of = {key: (split,) for key, split in (data.splits or {}).items()} | {**several}
    return listing_of_videos("data set's own lists", data.videos, splits_of)


def listing_of_lists(
    videos: Sequence[Video],
    lists: Mapping[str, Iterable[str]],
    unlisted: Mapping[str, str] | None = None,
) -> Listing:
    """What lists of identities say.

    Args:
        videos: of the data set.
        lists: identities by split.
        unlisted: the split by key of videos that the lists do not speak of.
    """
    members = {split: set(identities) for split, identities in lists.items()}
    known = set().union(*members.values())
    identities = {name: _in_order(s for s in members if name in members[s]) for name in known}
    found = {
        video.key: _in_order(s for s in members if members[s].issuperset(video.identities))
        for video in videos
        if known.issuperset(video.identities)
    }
    hashed = {key: (split,) for key, split in (unlisted or {}).items()}
    return Listing("split lists", {**hashed, **found}, {**_by_identity(videos, hashed), **identities})


def listing_of_videos(
    how: str, videos: Sequence[Video], splits: Mapping[str, Iterable[str]], by_hash: bool = False
) -> Listing:
    """What the splits of videos, by key, say of identities: each is where any of its videos is."""
    ordered = {key: _in_order(found) for key, found in splits.items()}
    return Listing(how, ordered, _by_identity(videos, ordered), by_hash)


def _by_identity(videos: Iterable[Video], splits: Mapping[str, Splits]) -> dict[str, Splits]:
    found: dict[str, set[str]] = {}
    for video in videos:
        for identity in video.identities:
            found.setdefault(identity, set()).update(splits.get(video.key, ()))
    return {identity: _in_order(members) for identity, members in found.items()}


def _in_order(splits: Iterable[str]) -> Splits:
    return tuple(sorted(splits, key=SPLITS.index))
