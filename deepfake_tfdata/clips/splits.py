"""Which split a video belongs to. No identity and no source video ever crosses a split.

A group below is what must stay in one split: an identity or, where a conversion dictionary joins several
identities cut from one video, that source video.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath

SPLITS = ("train", "val", "test")
# FaceForensics++ has 720, 140 and 140 of 1,000; unlisted identities are divided in the same shares.
_SHARES = {"train": 0.72, "val": 0.14, "test": 0.14}
# Swapping pairs makes components of two, one actor on ten targets makes eleven. Where everybody is swapped
# with everybody (Celeb-DF, FakeAVCeleb), one component holds all and would be one split.
_LARGEST_COMPONENT = 20
_NO_GROUPS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Assignment:
    """Every video has a split or is left out.

    Attributes:
        splits: train, val or test by video key.
        left_out: by video key, why it is in no split.
        components: of the videos with a split, by key: the connected component of their groups.
    """

    splits: Mapping[str, str]
    left_out: Mapping[str, str]
    components: Mapping[str, str]


def read_split_lists(folder: AnyPath) -> dict[str, str]:
    """Reads the official train.json, val.json and test.json.

    Args:
        folder: holds the three files, each a list of pairs of identities, such as [["071", "054"], ...].

    Returns:
        The split of every identity.

    Raises:
        UserError: a file is missing or is no such list, or an identity stands in two splits.
    """
    splits: dict[str, str] = {}
    for split, identities in read_lists(folder).items():
        for identity in identities:
            if splits.setdefault(identity, split) != split:
                raise UserError(f"{folder} has '{identity}' in both {splits[identity]}.json and {split}.json")
    return splits


def read_lists(folder: AnyPath) -> dict[str, list[str]]:
    """The identities of each official list as they stand there, even where the lists contradict each other.

    Args:
        folder: as for `read_split_lists`.

    Raises:
        UserError: a file is missing or is no such list.
    """
    return {split: _identities(folder / f"{split}.json") for split in SPLITS}


def read_conversion_dict(path: AnyPath) -> dict[str, str]:
    """Reads the conversion_dict.json of FaceForensics++: which source video each identity was cut from.

    Args:
        path: a file such as {"331": "R03Sko97IDE 0", "332": "R03Sko97IDE 1", ...}: YouTube id and sequence.

    Returns:
        The group of every identity: 'youtube R03Sko97IDE' for both of those.

    Raises:
        UserError: no such file, or it is no such dictionary.
    """
    sources = _read_json(path, "--conversion_dict names the conversion_dict.json of FaceForensics++")
    if not isinstance(sources, dict) or not all(isinstance(source, str) for source in sources.values()):
        raise UserError(f'{path} is no conversion dictionary; expected {{"331": "R03Sko97IDE 0", ...}}')
    return {
        identity: f"youtube {source.rpartition(' ')[0] or source}" for identity, source in sources.items()
    }


def split_by_identity(
    videos: Iterable[Video], listed: Mapping[str, str], groups: Mapping[str, str] = _NO_GROUPS
) -> dict[str, str]:
    """The split by video key, of the videos whose identities are all listed, and in one split.

    Args:
        videos: of one data set.
        listed: the split of each identity (of each group, where `groups` has it).
        groups: the group of an identity that is not its own.
    """
    # '' stands for a group that is not listed.
    splits = {video.key: {listed.get(group, "") for group in _groups(video, groups)} for video in videos}
    return {key: found.pop() for key, found in splits.items() if len(found) == 1 and "" not in found}


def connected_components(memberships: Iterable[Sequence[str]]) -> dict[str, str]:
    """The smallest member of each one's connected component; the order of the memberships does not matter.

    Args:
        memberships: each joins all its members into one component.
    """
    # Imported here: it takes as long as all that `convert --help` imports, and workers never need it.
    from scipy.cluster.hierarchy import DisjointSet

    components: DisjointSet[str] = DisjointSet()
    for members in memberships:
        for member in members:
            components.add(member)
            components.merge(members[0], member)
    first: dict[str, str] = {}
    for component in components.subsets():
        first |= dict.fromkeys(component, min(component))
    return first


def divide_by_hash(
    videos: Iterable[Video], splits: Sequence[str] = SPLITS, groups: Mapping[str, str] = _NO_GROUPS
) -> dict[str, str]:
    """Divides connected components of groups, joined by a fake of both, by the hash of their first.

    Of a component too large to be one split, each group is divided for itself, and the videos that would
    then straddle have no split.

    Args:
        videos: of one data set; their order does not matter.
        splits: which splits to divide between.
        groups: the group of an identity that is not its own.

    Returns:
        The split by video key.
    """
    videos = list(videos)
    first = connected_components([_groups(video, groups) for video in videos])
    size = Counter(first.values())
    units = {group: root if size[root] <= _LARGEST_COMPONENT else group for group, root in first.items()}
    listed = {group: _hashed_split(unit, splits) for group, unit in units.items()}
    return split_by_identity(videos, listed, groups)


def divide_beside_test(videos: Iterable[Video], tested: Collection[str]) -> dict[str, str]:
    """The split by video key where a data set says which videos test and nothing of the others.

    Those of people that no tested one shows are divided into train and val by hash. The rest would cross: it
    gets train, out of which assign_splits leaves it, and says why.

    Args:
        videos: of one data set.
        tested: keys of the test videos.
    """
    videos = list(videos)
    seen = {person for video in videos if video.key in tested for person in video.identities}
    unseen = [video for video in videos if seen.isdisjoint(video.identities)]
    splits = dict.fromkeys((video.key for video in videos), "train")
    return splits | divide_by_hash(unseen, ("train", "val")) | dict.fromkeys(tested, "test")


def assign_splits(
    videos: Iterable[Video], given: Mapping[str, str] | None = None, groups: Mapping[str, str] = _NO_GROUPS
) -> Assignment:
    """Gives every video its split, or the reason why it has none.

    Args:
        videos: of one data set.
        given: the split by video key, from lists; None divides by hash. Where lists let a group cross, the
            test split stays as published, and the other videos of that group are left out of val and train
            (of train, where val has it): they could only leak.
        groups: the group of an identity that is not its own.
    """
    videos = list(videos)
    reason = "the split lists do not have it, or not in one split"
    if given is None:
        given, reason = divide_by_hash(videos, groups=groups), "its identities fall into different splits"
    splits: dict[str, str] = {}
    left_out = {video.key: reason for video in videos if video.key not in given}
    owner: dict[str, str] = {}
    for split in reversed(SPLITS):
        kept = []
        for video in (video for video in videos if given.get(video.key) == split):
            elsewhere = [owner[group] for group in _groups(video, groups) if group in owner]
            if elsewhere:
                left_out[video.key] = f"an identity or source video of it is in the {elsewhere[0]} split"
            else:
                splits[video.key] = split
                kept.append(video)
        owner.update((group, split) for video in kept for group in _groups(video, groups))
    return Assignment(splits, left_out, _components([v for v in videos if v.key in splits], groups))


def _components(videos: Sequence[Video], groups: Mapping[str, str]) -> dict[str, str]:
    """The connected component of each video's groups, by the video's key."""
    first = connected_components([_groups(video, groups) for video in videos])
    return {video.key: first[_groups(video, groups)[0]] for video in videos}


def _groups(video: Video, groups: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(groups.get(identity, identity) for identity in video.identities)


def _identities(path: AnyPath) -> list[str]:
    pairs = _read_json(path, "--splits names a folder with train.json, val.json and test.json")
    if not isinstance(pairs, list) or not all(isinstance(pair, list) for pair in pairs):
        raise UserError(f'{path} is no split list; expected pairs such as [["071", "054"], ...]')
    return [str(identity) for pair in pairs for identity in pair]


def _read_json(path: AnyPath, expected: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"no {path}; {expected}") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{path} is no split list or dictionary in JSON ({error}); {expected}") from None


def _hashed_split(unit: str, splits: Sequence[str]) -> str:
    position = int.from_bytes(hashlib.sha256(unit.encode()).digest()[:8], "big") / 2**64
    position *= sum(_SHARES[split] for split in splits)
    for split in splits[:-1]:
        position -= _SHARES[split]
        if position < 0:
            return split
    return splits[-1]
