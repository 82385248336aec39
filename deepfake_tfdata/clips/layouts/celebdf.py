"""Celeb-DF v2 (Li et al., CVPR 2020): 59 celebrities, each swapped with many of the others."""

from collections.abc import Collection, Sequence

from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.tree import child, read_text, video_files
from deepfake_tfdata.clips.splits import divide_by_hash
from deepfake_tfdata.clips.video import ORIGINAL, Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath

TITLE = "Celeb-DF v2"
DESCRIPTION = "Celeb-real/*.mp4, YouTube-real/*.mp4, Celeb-synthesis/*.mp4, List_of_testing_videos.txt"
METHODS = ("Celeb-synthesis",)
COMPRESSIONS = ()
FOLDERS = ("Celeb-real", "YouTube-real", *METHODS)
TEST_LIST = "List_of_testing_videos.txt"


def recognises(source: AnyPath) -> bool:
    """Whether one of the two folders of celebrities is there."""
    return any(child(source, name).is_dir() for name in ("Celeb-real", "Celeb-synthesis"))


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """All videos; those of the test list are the test split, and the others are train and val by hash.

    The list has 56 of the 59 celebrities, and none may cross: with it hardly anything but YouTube-real is
    left for train and val. As published, Celeb-DF tests what was trained elsewhere.

    Raises:
        UserError: the test list is damaged, or says of a video what its folder does not.
    """
    videos: dict[str, Video] = {}
    for folder in FOLDERS:
        videos |= {
            f"{folder}/{path.name}": _video(path, folder) for path in video_files(child(source, folder))
        }
    missing = [folder for folder in FOLDERS if not any(name.startswith(f"{folder}/") for name in videos)]
    test_list = child(source, TEST_LIST)
    if not test_list.is_file():
        return DataSet(list(videos.values()), missing=[*missing, TEST_LIST])
    names = _read_test_list(test_list)
    tested = {videos[name].key for name in names if name in videos}
    absent = len(names) - len(tested)
    missing += [f"{absent} of {len(names)} videos of {TEST_LIST}"] if absent else []
    return DataSet(list(videos.values()), _divide(videos.values(), tested), missing=missing)


def _divide(videos: Collection[Video], tested: Collection[str]) -> dict[str, str]:
    """The split by video key: tested ones, and the others of people that no tested one shows by hash."""
    seen = {person for video in videos if video.key in tested for person in video.identities}
    unseen = [video for video in videos if seen.isdisjoint(video.identities)]
    # The rest would cross; assign_splits leaves it out, and says why.
    splits = dict.fromkeys((video.key for video in videos), "train")
    return splits | divide_by_hash(unseen, ("train", "val")) | dict.fromkeys(tested, "test")


def _video(path: AnyPath, folder: str) -> Video:
    name = path.stem
    if folder == "YouTube-real":
        # Nobody says who these are, so each is an identity of its own.
        return Video(str(path), name, 0, ORIGINAL, target_id=f"youtube {name}")
    # idA_NNNN is a video of idA, and idA_idB_NNNN the same video with the face of idB.
    people = [part for part in name.split("_") if part.startswith("id")] or [name]
    if folder == "Celeb-real":
        return Video(str(path), name, 0, ORIGINAL, target_id=people[0])
    original_id = f"{people[0]}_{name.rpartition('_')[2]}"
    return Video(str(path), name, 1, folder, people[0], people[-1], original_id=original_id)


def _read_test_list(path: AnyPath) -> list[str]:
    """The names in lines such as '1 YouTube-real/00170.mp4', in which 1 is real and 0 is fake."""
    names: dict[str, None] = {}  # in their order
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        real, _, name = line.strip().partition(" ")
        if real not in ("0", "1") or (real == "0") != name.startswith(METHODS[0]):
            raise UserError(
                f"line {number} of {path} is '{line.strip()}'; expected '1 FOLDER/NAME' for a real video and "
                f"'0 {METHODS[0]}/NAME' for a fake"
            )
        names[name.strip()] = None
    return list(names)
