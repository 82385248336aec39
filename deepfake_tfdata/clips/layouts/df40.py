"""DF40 (Yan et al., NeurIPS 2024): forty methods, most on FaceForensics++ and Celeb-DF, as cut faces."""

from collections.abc import Iterable, Iterator, Sequence

from deepfake_tfdata.clips.layouts import celebdf, ffpp
from deepfake_tfdata.clips.layouts.data_set import DataSet, passed_over
from deepfake_tfdata.clips.layouts.ffpp import COMPRESSIONS as COMPRESSIONS
from deepfake_tfdata.clips.layouts.names import identities
from deepfake_tfdata.clips.layouts.tree import child, folders, image_folders
from deepfake_tfdata.clips.splits import divide_beside_test
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.storage import AnyPath

TITLE = "DF40"
DESCRIPTION = (
    "DF40/METHOD/{ff,cdf}/frames/ID/*.png, DF40_train/METHOD/frames/ID/*.png, "
    "FaceForensics++/original_sequences/youtube/c23/frames/ID/*.png, Celeb-DF-v2/*-real/frames/ID/*.png"
)
# Those that make videos of videos; its other methods make single pictures, or bring reals of their own.
METHODS = (
    *("blendface", "e4s", "facedancer", "faceswap", "fsgan", "inswap", "mobileswap", "simswap", "uniface"),
    *("MRAA", "danet", "facevid2vid", "fomm", "hyperreenact", "lia", "mcnet", "one_shot_free", "pirender"),
    *("sadtalker", "tpsm", "wav2lip"),
)
TEST_PART, TRAIN_PART = "DF40", "DF40_train"


def recognises(source: AnyPath) -> bool:
    """Whether it, or one of its two parts, has the frames of a method."""
    return any(frames for part, _ in _parts(source) for _, frames in _methods(part))


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """The fakes of the chosen methods, and as reals the faces that DeepfakeBench cut out of their originals.

    DF40 is the test split. DF40_train is train and val by hash; as published it has videos and identities of
    the test part too, which are left out.
    """
    fakes: dict[str, Video] = {}
    tested: set[str] = set()
    unknown: list[str] = []
    twice: list[str] = []
    for method, path, is_test in _recordings(source, manipulations):
        video = _fake(path, method)
        if video is None:
            unknown.append(f"{method}/{path.name}")
        elif video.key in fakes:
            twice.append(video.key)
        else:
            fakes[video.key] = video
            tested |= {video.key} if is_test else set()
    originals = _originals(source, compression, fakes.values())
    seen = {person for key in tested for person in fakes[key].identities}
    # An original goes with its fakes.
    tested |= {video.key for video in originals if video.target_id in seen}
    videos = [*fakes.values(), *originals]
    found = {video.manipulation for video in fakes.values()}
    missing = [method for method in manipulations or () if method not in found]
    missing += [] if originals else ["frames of the originals (FaceForensics++, Celeb-DF-v2)"]
    others = [part.name for where, _ in _parts(source) for part, frames in _methods(where) if not frames]
    notes = [
        *passed_over("folders whose names are not FaceForensics++'s or Celeb-DF's", unknown),
        *passed_over(f"videos that are in {TEST_PART} too", twice),
        *passed_over("folders that are no videos of videos", sorted(set(others))),
    ]
    return DataSet(videos, divide_beside_test(videos, tested), missing=missing, notes=notes)


def _parts(source: AnyPath) -> list[tuple[AnyPath, bool]]:
    """The folders of methods in a source, and whether they are the test part, which comes first."""
    parts = [(child(source, TEST_PART), True), (child(source, TRAIN_PART), False)]
    found = [(part, is_test) for part, is_test in parts if part.is_dir()]
    return found or [(source, source.name.casefold() != TRAIN_PART.casefold())]


def _methods(part: AnyPath) -> Iterator[tuple[AnyPath, list[AnyPath]]]:
    """The folders of a part, and for methods known to make videos of videos, where their frames are."""
    known = {method.casefold() for method in METHODS}
    for folder in folders(part):
        places = (folder / "ff" / "frames", folder / "cdf" / "frames", folder / "frames")
        is_known = folder.name.casefold() in known
        yield folder, [place for place in places if is_known and place.is_dir()]


def _recordings(source: AnyPath, manipulations: Sequence[str] | None) -> Iterator[tuple[str, AnyPath, bool]]:
    """The method of each folder of frames, the folder, and whether it is of the test part."""
    for part, is_test in _parts(source):
        for folder, places in _methods(part):
            if manipulations is None or folder.name in manipulations:
                for path in (path for place in places for path in image_folders(place)):
                    yield folder.name, path, is_test


def _fake(path: AnyPath, method: str) -> Video | None:
    people = identities(path.name)
    if people is None or not (_is_ffpp(people.target) or _is_celebdf(people.target)):
        return None
    return Video(str(path), path.name, 1, method, people.target, people.source, people.original, native=False)


def _originals(source: AnyPath, compression: str, fakes: Iterable[Video]) -> list[Video]:
    """The reals of those data sets that there are fakes of: another's would be known by the data set alone.

    They lie in the source, or beside it where it is one of the two parts.
    """
    targets = [video.target_id for video in fakes]
    found: list[Video] = []
    for root in (source, source.parent):
        if any(map(_is_ffpp, targets)):
            folder = root / "FaceForensics++" / "original_sequences" / "youtube" / compression / "frames"
            found += map(ffpp.youtube_original, image_folders(folder))
        if any(map(_is_celebdf, targets)):
            found += [
                celebdf.real(path, folder)
                for folder in celebdf.REAL_FOLDERS
                for path in image_folders(root / "Celeb-DF-v2" / folder / "frames")
            ]
        if found:
            break
    return found


def _is_ffpp(identity: str) -> bool:
    return identity.isdigit() and len(identity) == 3


def _is_celebdf(identity: str) -> bool:
    return identity.startswith("id")
