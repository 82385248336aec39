"""The same picture under two names: copied files, and videos that look alike, across splits and labels."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from deepfake_tfdata.audits.finding import FAIL, WARN, Finding, count, names
from deepfake_tfdata.clips.listing import Listing
from deepfake_tfdata.clips.video import LABEL_NAMES, Video

# Bits of 256 by which two pictures' hashes may differ, and the share of a video's pictures that must have
# such a match in the other; measured in README.md.
NEAR_BITS = 20
NEAR_SHARE = 0.5


def find_copied_files(
    videos: Sequence[Video], listing: Listing, contents: Mapping[str, str]
) -> Iterator[Finding]:
    """Files of one content under two names.

    Args:
        videos: of the data set.
        listing: their splits.
        contents: a hash of each file's content, by video key; '' where nobody knows it.
    """
    by_content: dict[str, list[Video]] = {}
    for video in videos:
        if contents.get(video.key):
            by_content.setdefault(contents[video.key], []).append(video)
    kinds: dict[str, list[list[str]]] = {}
    for copies in by_content.values():
        if len(copies) > 1:
            kinds.setdefault(_kind(copies, listing), []).append([_shown(each, listing) for each in copies])
    for check, (severity, what, mend) in _COPIES.items():
        if groups := kinds.get(check):
            shown = names([" = ".join(group) for group in groups])
            yield Finding(
                check, severity, f"{count(len(groups), 'file')} {what}: {shown}", mend, {"copies": groups}
            )


# Severity, what it is, what to do, by check.
_COPIES = {
    "same_file_in_two_splits": (FAIL, "in more than one split, under several names", "keep one copy of each"),
    "same_file_with_two_labels": (FAIL, "both real and fake", "keep the copy whose label is right"),
    "same_file_twice": (WARN, "in one split under several names", "keep one copy: it counts several times"),
}


def find_near_duplicates(
    videos: Sequence[Video],
    listing: Listing,
    units: Mapping[str, str],
    hashes: Mapping[str, Sequence[bytes]],
    contents: Mapping[str, str],
) -> Iterator[Finding]:
    """Videos of other people by their names that look alike, in different splits.

    Args:
        videos: of the data set.
        listing: their splits.
        units: by key, what a video is expected to look alike to: those of its own component.
        hashes: by key, perceptual hashes of whole frames, all of one length.
        contents: as for `find_copied_files`; what that finds is not said again.
    """
    hashed = [video for video in videos if len(hashes.get(video.key, ())) and listing.videos.get(video.key)]
    pairs = [
        (_shown(first, listing), _shown(second, listing), bits)
        for first, second, bits in _alike(hashed, hashes)
        if units[first.key] != units[second.key]
        and (not contents.get(first.key) or contents[first.key] != contents.get(second.key))
        and set(listing.videos[first.key]) != set(listing.videos[second.key])
    ]
    if pairs:
        shown = names([f"{first} and {second} ({bits:g} of 256 bits)" for first, second, bits in pairs])
        yield Finding(
            "near_duplicates_across_splits",
            FAIL,
            f"{count(len(pairs), 'pair')} of videos in different splits look alike, though their names say "
            f"that they have nothing in common: {shown}",
            "look at them; if they are one recording or one person in one place, put them into one split or "
            "leave one out",
            {"pairs": [{"videos": [first, second], "bits": bits} for first, second, bits in pairs]},
        )


def _alike(
    videos: Sequence[Video], hashes: Mapping[str, Sequence[bytes]]
) -> Iterator[tuple[Video, Video, float]]:
    """Pairs of videos of which enough frames have a like in the other, and by how many bits those differ."""
    if len(videos) < 2:
        return
    ends = np.cumsum([len(hashes[video.key]) for video in videos])
    every = _signs([each for video in videos for each in hashes[video.key]])
    for index, (video, first, others) in enumerate(zip(videos, [0, *ends], ends, strict=False)):
        if others == len(every):
            return
        found = _distances(every[first:others], every[others:])
        nearest = np.minimum.reduceat(found, np.append(others, ends[index + 1 : -1]) - others, axis=1)
        # Of each other video, by how much its likes of that share of the frames differ at most.
        bits = np.quantile(nearest, NEAR_SHARE, axis=0, method="higher")
        for other in np.flatnonzero(bits <= NEAR_BITS).tolist():
            yield video, videos[index + 1 + other], float(bits[other])


def _signs(hashes: Sequence[bytes]) -> np.ndarray:
    """The bits as -1 and 1, float32 [N, B]: a matrix product counts those that differ."""
    return np.array([2.0 * np.unpackbits(np.frombuffer(each, np.uint8)) - 1 for each in hashes], np.float32)


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Differing bits of all pairs out of signs [N, B] and [M, B], float32 [N, M]."""
    return (first.shape[1] - first @ second.T) / 2


def _kind(copies: Sequence[Video], listing: Listing) -> str:
    splits = {listing.videos.get(video.key, ()) for video in copies} - {()}
    if len(splits) > 1:
        return "same_file_in_two_splits"
    labels = {video.label for video in copies}
    return "same_file_with_two_labels" if len(labels) > 1 else "same_file_twice"


def _shown(video: Video, listing: Listing) -> str:
    splits = " and ".join(listing.videos.get(video.key, ())) or "no split"
    return f"{video.key} ({LABEL_NAMES[video.label]}, {splits})"
