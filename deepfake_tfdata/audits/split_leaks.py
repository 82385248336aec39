"""Identities, source videos and videos that more than one split has, by what lists or records say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from deepfake_tfdata.audits.finding import FAIL, Finding, count, names
from deepfake_tfdata.clips.listing import Listing, Splits
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import Video

# From this share of the smaller split on, val is no accident's worth of test videos but a copy of it.
_COPY = 0.5
_CONVERT = (
    "convert refuses such lists, or leaves the videos of the other splits out; tools that take lists as they "
    "are do not"
)


def find_split_leaks(
    videos: Sequence[Video], listing: Listing, groups: Mapping[str, str] | None = None
) -> list[Finding]:
    """What makes a score on val or test a score on what was trained on.

    Args:
        videos: of the data set.
        listing: the splits of videos and identities.
        groups: the source video of each identity, as `read_conversion_dict` gives it.
    """
    return [
        *_videos_in_several(listing),
        *_identities_in_several(videos, listing),
        *_sources_in_several(videos, listing, groups or {}),
        *_fakes_across(videos, listing),
    ]


def _videos_in_several(listing: Listing) -> Iterator[Finding]:
    """A finding a pair of splits that have videos in common."""
    members = {split: {key for key, found in listing.videos.items() if split in found} for split in SPLITS}
    for first, second in combinations(SPLITS, 2):
        shared = sorted(members[first] & members[second])
        if not shared:
            continue
        smaller = min(len(members[first]), len(members[second]))
        evidence = {
            "splits": [first, second],
            "videos": shared,
            "share_of_the_smaller": len(shared) / smaller,
        }
        what = f"{count(len(shared), 'video')} in both {first} and {second}: {names(shared)}"
        if (first, second) == ("val", "test") and len(shared) >= _COPY * smaller:
            yield Finding(
                "val_is_test",
                FAIL,
                f"val is test, or nearly: {what}",
                "choose options and thresholds on a part of train; a test split that chose them is a "
                "validation split, and its score is too good",
                evidence,
            )
        else:
            check = "test_in_train" if (first, second) == ("train", "test") else "video_in_two_splits"
            yield Finding(check, FAIL, what, f"take them out of {first}", evidence)


def _identities_in_several(videos: Sequence[Video], listing: Listing) -> Iterator[Finding]:
    crossing = {}
    of_identity = _by_identity(videos)
    for identity, splits in sorted(listing.identities.items()):
        placed = [set(listing.videos.get(video.key, ())) for video in of_identity.get(identity, ())]
        # Where each of its videos is in all of these splits, that was said of the videos.
        if len(splits) > 1 and not (placed and all(found.issuperset(splits) for found in placed)):
            crossing[identity] = _where(of_identity.get(identity, ()), listing) or list(splits)
    if crossing:
        shown = [f"{identity} ({names(places)})" for identity, places in crossing.items()]
        yield Finding(
            "identity_in_two_splits",
            FAIL,
            f"{count(len(crossing), 'identity', 'identities')} in more than one split by the {listing.how}: "
            f"{names(shown)}",
            f"move each of them into one split, or divide with --splits=hash; {_CONVERT}",
            {"identities": crossing, "splits": {name: list(listing.identities[name]) for name in crossing}},
        )


def _sources_in_several(
    videos: Sequence[Video], listing: Listing, groups: Mapping[str, str]
) -> Iterator[Finding]:
    members: dict[str, dict[str, Splits]] = {}
    for identity, splits in listing.identities.items():
        if identity in groups:
            members.setdefault(groups[identity], {})[identity] = splits
    crossing = {
        source: {identity: list(splits) for identity, splits in sorted(found.items())}
        for source, found in sorted(members.items())
        if len(set(found.values()) - {()}) > 1
    }
    if crossing:
        of_identity = _by_identity(videos)
        shown = [
            f"{source} ({', '.join(f'{name} in {names(splits)}' for name, splits in found.items())})"
            for source, found in crossing.items()
        ]
        places = {
            source: _where([video for name in found for video in of_identity.get(name, ())], listing)
            for source, found in crossing.items()
        }
        yield Finding(
            "source_video_in_two_splits",
            FAIL,
            f"identities of {count(len(crossing), 'source video')} in more than one split: {names(shown)}",
            "convert with --strict_split, which leaves them out of train and val",
            {"sources": crossing, "videos": places},
        )


def _fakes_across(videos: Sequence[Video], listing: Listing) -> Iterator[Finding]:
    """Fakes whose two identities are in different splits. The hash leaves such out by itself."""
    across = {
        video.key: [f"{identity} in {names(listing.identities[identity])}" for identity in video.identities]
        for video in videos
        if not listing.by_hash and listing.videos.get(video.key) == ()
    }
    if across:
        shown = [f"{key} ({', '.join(places)})" for key, places in across.items()]
        yield Finding(
            "fake_across_splits",
            FAIL,
            f"{count(len(across), 'fake')} made of identities of two splits: {names(shown)}",
            "leave them out, as convert does; a split by target alone would show one identity twice",
            {"videos": across},
        )


def _by_identity(videos: Iterable[Video]) -> dict[str, list[Video]]:
    found: dict[str, list[Video]] = {}
    for video in videos:
        for identity in video.identities:
            found.setdefault(identity, []).append(video)
    return found


def _where(videos: Iterable[Video], listing: Listing) -> list[str]:
    """Such as 'original/012 in train', of videos that are in a split, each once."""
    placed = {video.key: listing.videos.get(video.key, ()) for video in videos}
    return [f"{key} in {' and '.join(splits)}" for key, splits in sorted(placed.items()) if splits]
