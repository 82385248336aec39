"""Which split a video belongs to. No identity and no source video ever crosses a split."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError

SPLITS = ("train", "val", "test")
# FaceForensics++ has 720, 140 and 140 of 1,000; unlisted identities are divided in the same shares.
_TRAIN_SHARE, _VAL_SHARE = 0.72, 0.14


def read_split_lists(folder: Path) -> dict[str, str]:
    """Reads the official train.json, val.json and test.json.

    Args:
        folder: holds the three files, each a list of pairs of identities, such as [["071", "054"], ...].

    Returns:
        The split of every identity.

    Raises:
        UserError: a file is missing or is no such list, or an identity stands in two splits.
    """
    splits: dict[str, str] = {}
    for split in SPLITS:
        for identity in _identities(folder / f"{split}.json"):
            if splits.setdefault(identity, split) != split:
                raise UserError(f"{folder} has '{identity}' in both {splits[identity]}.json and {split}.json")
    return splits


def assign_splits(videos: Iterable[Video], listed: Mapping[str, str] | None) -> dict[str, str]:
    """Gives every video its split.

    Args:
        videos: of one data set.
        listed: the split of each identity, from the official lists; None divides by hash.

    Returns:
        The split by video key. A video whose identities the lists do not have, or have in two splits, is left
        out: it could only leak.
    """
    videos = list(videos)
    by_identity = _hashed_components(videos) if listed is None else listed
    assigned = {}
    for video in videos:
        splits = {by_identity.get(identity) for identity in video.identities}
        if len(splits) == 1 and None not in splits:
            assigned[video.key] = splits.pop()
    return assigned


def _identities(path: Path) -> list[str]:
    try:
        pairs = json.loads(path.read_text(encoding="utf-8"))
        return [str(identity) for pair in pairs for identity in _pair(pair)]
    except FileNotFoundError:
        raise UserError(
            f"no {path}; --splits names a folder with train.json, val.json and test.json"
        ) from None
    except (ValueError, TypeError, UnicodeDecodeError):
        raise UserError(f'{path} is no split list; expected pairs such as [["071", "054"], ...]') from None


def _pair(pair: object) -> list:
    if not isinstance(pair, list):
        raise TypeError
    return pair


def _hashed_components(videos: list[Video]) -> dict[str, str]:
    """Divides connected components of identities, joined by a fake of both, by the hash of their first."""
    parent: dict[str, str] = {}

    def root(identity: str) -> str:
        parent.setdefault(identity, identity)
        while parent[identity] != identity:
            parent[identity] = parent[parent[identity]]
            identity = parent[identity]
        return identity

    for video in videos:
        first, *others = video.identities
        for other in others:
            # The smaller name is the root, so that the order of the videos does not matter.
            low, high = sorted((root(first), root(other)))
            parent[high] = low
        root(first)
    return {identity: _hashed_split(root(identity)) for identity in parent}


def _hashed_split(identity: str) -> str:
    position = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big") / 2**64
    if position < _TRAIN_SHARE:
        return "train"
    return "val" if position < _TRAIN_SHARE + _VAL_SHARE else "test"
