"""The JSON files of DeepfakeBench (Yan et al., NeurIPS 2023): which folders of frames are which video.

{DATA SET: {LABEL: {SPLIT: {[COMPRESSION:] {VIDEO: {"label": LABEL, "frames": [FILE, ...]}}}}}}
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake_tfdata.clips.layouts.data_set import DataSet, passed_over
from deepfake_tfdata.clips.layouts.ffpp import COMPRESSIONS as COMPRESSIONS
from deepfake_tfdata.clips.layouts.names import identities
from deepfake_tfdata.clips.layouts.tree import read_text
from deepfake_tfdata.clips.splits import SPLITS, divide_beside_test
from deepfake_tfdata.clips.video import ORIGINAL, Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath, as_path

TITLE = "DeepfakeBench"
DESCRIPTION = "a file NAME.json of DeepfakeBench, with the folders of frames that it names beside or above it"
# FaceForensics++'s own names for what DeepfakeBench abbreviates.
_METHODS = {
    "FF-DF": "Deepfakes",
    "FF-F2F": "Face2Face",
    "FF-FS": "FaceSwap",
    "FF-NT": "NeuralTextures",
    "FF-FH": "FaceShifter",
    "DFD_fake": "DeepFakeDetection",
    "CelebDFv1_fake": "Celeb-synthesis",
    "CelebDFv2_fake": "Celeb-synthesis",
    "DFDCP_FakeA": "method_A",
    "DFDCP_FakeB": "method_B",
}
_ORDER = ", ".join(SPLITS)
METHODS = tuple(dict.fromkeys(_METHODS.values()))


@dataclass(frozen=True)
class _Listed:
    """A video in a split of the file.

    Attributes:
        name, split: as written there.
        is_fake, method: by its label.
        folder: of its frames, as written there; '' where it has none.
    """

    name: str
    split: str
    is_fake: bool
    method: str
    folder: str


def recognises(source: AnyPath) -> bool:
    """Whether it is a JSON file."""
    return source.suffix.lower() == ".json" and source.is_file()


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """The videos of the file whose folders are there, with the splits that it gives, as far as it gives any.

    Its val often is a copy of test, and train may hold test videos: a video of several splits is of the last
    of train, val and test. Where that leaves val empty, train and val are divided by hash; where it leaves
    train empty, all is.

    Args:
        source: the JSON file.
        compression: which videos of FaceForensics++ to take.
        manipulations: which methods' fakes to take; None takes all.

    Raises:
        UserError: the file is damaged or contradicts itself, none of its folders is there, or it is DFDC's,
            which does not say what a fake was made from.
    """
    places = _Places(source)
    videos: dict[str, Video] = {}
    splits: dict[str, set[str]] = {}
    unknown: list[str] = []
    absent: list[str] = []
    for listed in _read_file(source, compression):
        if listed.is_fake and manipulations is not None and listed.method not in manipulations:
            continue
        folder = places.find(listed.folder)
        video = _video(folder, listed) if folder else None
        if folder is None:
            absent.append(listed.folder or listed.name)
        elif video is None:
            unknown.append(listed.name)
        else:
            videos[video.key] = video
            splits.setdefault(video.key, set()).add(listed.split)
    if absent and not videos:
        raise UserError(
            f"none of the {len(absent)} folders of frames that {source} names is there (the first: "
            f"{absent[0]}); put the file beside them or beside the folder that its paths begin with"
        )
    given, notes = _given(videos.values(), splits)
    notes += passed_over("videos whose names do not tell identities", unknown)
    missing = [f"{len(absent)} listed folders of frames"] if absent else []
    several = {
        key: tuple(split for split in SPLITS if split in found)
        for key, found in splits.items()
        if len(found) > 1
    }
    return DataSet(list(videos.values()), given, missing=missing, notes=notes, in_several_splits=several)


def _given(
    videos: Collection[Video], splits: Mapping[str, set[str]]
) -> tuple[Mapping[str, str] | None, list[str]]:
    """The split by video key, None where the file gives none of use, and what a person should know of it.

    Args:
        videos: those that are there.
        splits: every split of each, by key.
    """
    given = {key: max(listed, key=SPLITS.index) for key, listed in splits.items()}
    several = [key for key, listed in splits.items() if len(listed) > 1]
    listed_splits = set().union(*splits.values())
    if "train" in listed_splits and "train" not in given.values():
        return None, ["its train, val and test hold the same videos, so its splits don't count"]
    notes = []
    if several:
        notes.append(f"{len(several)} videos stand in several splits and count for the last of {_ORDER}")
    if "train" in given.values() and "val" not in given.values():
        notes.append("val has no videos of its own, so that train is divided into train and val by hash")
        return divide_beside_test(videos, [key for key, split in given.items() if split == "test"]), notes
    return given, notes


class _Places:
    """Where the folders are that a file names: its paths begin on somebody else's disk.

    A path is looked for below the file's folder, the two above it, and DeepfakeBench's datasets/rgb in those;
    as much of its beginning is left out as must be, but never DATA/frames/VIDEO.
    """

    def __init__(self, source: AnyPath) -> None:
        above: Sequence[AnyPath] = [source.parent]
        if isinstance(source, Path):
            above = [*source.absolute().parents][:3]
        self._roots: list[AnyPath] = [place for root in above for place in (root, root / "datasets" / "rgb")]
        self._last: tuple[AnyPath, int] | None = None

    def find(self, folder: str) -> AnyPath | None:
        """The folder that a path means; None where it is not there."""
        if folder.startswith("/") and Path(folder).is_dir():
            return as_path(folder)
        parts = [part for part in folder.split("/") if part not in ("", ".")]
        ways = [(root, dropped) for dropped in range(len(parts) - 2) for root in self._roots]
        for root, dropped in ([self._last] if self._last else []) + ways:
            found = root / "/".join(parts[dropped:])
            if len(parts) - dropped > 2 and found.is_dir():
                self._last = root, dropped
                return found
        return None


def _read_file(source: AnyPath, compression: str) -> list[_Listed]:
    """What the file lists, those of the test split last."""
    try:
        data = json.loads(read_text(source))
        if "DFDC" in data:
            raise UserError(
                f"{source} does not say which video each fake of DFDC was made from, so that one could be in "
                "two splits; convert the videos themselves with --layout=dfdc"
            )
        listed = [
            entry
            for labels in data.values()
            for label, by_split in labels.items()
            for split, videos in by_split.items()
            for entry in _entries(label, split, videos, compression)
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{source} is no file of DeepfakeBench ({error}); expected {{DATA SET: {{LABEL: {{SPLIT: "
            '{VIDEO: {"label": LABEL, "frames": [FILE, ...]}}}}}'
        ) from None
    return sorted(listed, key=lambda entry: SPLITS.index(entry.split))


def _entries(label: str, split: str, videos: Mapping[str, Any], compression: str) -> Iterator[_Listed]:
    """The videos of a label in a split; ValueError, KeyError, TypeError or AttributeError if it is none."""
    if split not in SPLITS:
        raise ValueError(f"the split '{split}' of {label}")
    if videos and videos.keys() <= {*COMPRESSIONS}:
        videos = videos.get(compression, {})
    for name, row in videos.items():
        folders = {file.replace("\\", "/").rpartition("/")[0] for file in row["frames"]}
        if len(folders) > 1:
            raise ValueError(f"frames of {name} in two folders, {' and '.join(sorted(folders)[:2])}")
        own = row.get("label", label)
        folder = folders.pop() if folders else ""
        is_fake = _is_fake(own)
        people = identities(folder.rpartition("/")[2])
        if people and not is_fake and (people.source or people.original):
            raise ValueError(f"{name}, a fake by its name, under the label '{own}'")
        yield _Listed(name, split, is_fake, _method(own) if is_fake else ORIGINAL, folder)


def _is_fake(label: str) -> bool:
    """Whether a label is one of fakes; ValueError where it does not say."""
    if label in _METHODS or label.casefold().endswith("fake"):
        return True
    if label.casefold().endswith("real"):
        return False
    raise ValueError(f"the label '{label}' says neither real nor fake")


def _method(label: str) -> str:
    """The manipulation of a label of fakes, such as simswap_Fake."""
    return _METHODS.get(label) or (label[: -len("_fake")] if label.casefold().endswith("_fake") else label)


def _video(folder: AnyPath, listed: _Listed) -> Video | None:
    """A listed video; None where its name does not tell identities."""
    people = identities(folder.name)
    if people is None:
        return None
    return Video(
        str(folder),
        listed.name,
        int(listed.is_fake),
        listed.method,
        people.target,
        people.source,
        people.original,
        native=False,
    )
