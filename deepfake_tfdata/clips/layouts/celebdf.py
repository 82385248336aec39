"""Celeb-DF v2 (Li et al., CVPR 2020): 59 celebrities, each swapped with many of the others."""

from collections.abc import Collection, Mapping, Sequence

from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.tree import (
    child,
    folders,
    image_folders,
    is_video_file,
    read_text,
    recording_name,
    video_files,
)
from deepfake_tfdata.clips.splits import divide_beside_test
from deepfake_tfdata.clips.video import ORIGINAL, Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath

TITLE = "Celeb-DF v2"
DESCRIPTION = "Celeb-real/*.mp4, YouTube-real/*.mp4, Celeb-synthesis/*.mp4, List_of_testing_videos.txt"
METHODS = ("Celeb-synthesis",)
COMPRESSIONS = ()
REAL_FOLDERS = ("Celeb-real", "YouTube-real")
FOLDERS = (*REAL_FOLDERS, *METHODS)
TEST_LIST = "List_of_testing_videos.txt"
# What Celeb-DF++ divides the folder of fakes into.
SCENARIOS = ("FaceSwap", "FaceReenact", "TalkingFace")


def recognises(source: AnyPath) -> bool:
    """Whether one of the two folders of celebrities is there, and the fakes are not those of Celeb-DF++."""
    return any(child(source, name).is_dir() for name in ("Celeb-real", "Celeb-synthesis")) and not scenarios(
        source
    )


def scenarios(source: AnyPath) -> list[AnyPath]:
    """The folders that Celeb-DF++ has below Celeb-synthesis, and v2 has not."""
    known = {name.casefold() for name in SCENARIOS}
    return [path for path in folders(child(source, METHODS[0])) if path.name.casefold() in known]


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """All videos; those of the test list are the test split, and the others are train and val by hash.

    The list has 56 of the 59 celebrities, and none may cross: with it hardly anything but YouTube-real is
    left for train and val. As published, Celeb-DF tests what was trained elsewhere.

    Raises:
        UserError: the test list is damaged, or says of a video what its folder does not.
    """
    videos = reals(source)
    for path in recordings(child(source, METHODS[0])):
        videos[f"{METHODS[0]}/{recording_name(path)}"] = _fake(path)
    return with_test_list(source, videos, FOLDERS)


def reals(source: AnyPath) -> dict[str, Video]:
    """The real videos by FOLDER/NAME, as the test list names them but for the ending."""
    return {
        f"{folder}/{recording_name(path)}": real(path, folder)
        for folder in REAL_FOLDERS
        for path in recordings(child(source, folder))
    }


def recordings(folder: AnyPath) -> list[AnyPath]:
    """FOLDER/*.mp4; where there are none, DeepfakeBench's folders of their faces, FOLDER/frames/*."""
    return video_files(folder) or image_folders(folder / "frames")


def real(path: AnyPath, folder: str) -> Video:
    """A real video: idA_NNNN of Celeb-real, or NNNNN of YouTube-real, of whom nobody says who it is."""
    name = recording_name(path)
    person = name.partition("_")[0] if name.startswith("id") else name
    person = f"youtube {name}" if folder == "YouTube-real" else person
    return Video(str(path), name, 0, ORIGINAL, target_id=person, native=is_video_file(path))


def with_test_list(
    source: AnyPath, videos: Mapping[str, Video], read_folders: Collection[str], notes: Sequence[str] = ()
) -> DataSet:
    """The data set with the splits by SOURCE/List_of_testing_videos.txt, and what is missing.

    Args:
        source: the folder of the data set.
        videos: by FOLDER/NAME, as in the list but for the ending.
        read_folders: those that were looked into; what the list says of others is passed over.
        notes: for the summary.
    """
    filled = {name.rpartition("/")[0] for name in videos}
    missing = [folder for folder in read_folders if folder not in filled]
    test_list = child(source, TEST_LIST)
    if not test_list.is_file():
        return DataSet(list(videos.values()), missing=[*missing, TEST_LIST], notes=list(notes))
    names = [name for name in _read_test_list(test_list) if name.rpartition("/")[0] in read_folders]
    tested = {videos[name].key for name in names if name in videos}
    absent = len(names) - len(tested)
    missing += [f"{absent} of {len(names)} videos of {TEST_LIST}"] if absent else []
    splits = divide_beside_test(videos.values(), tested)
    return DataSet(list(videos.values()), splits, missing=missing, notes=list(notes))


def _fake(path: AnyPath) -> Video:
    # idA_idB_NNNN is the video idA_NNNN with the face of idB.
    name = recording_name(path)
    people = [part for part in name.split("_") if part.startswith("id")] or [name]
    original_id = f"{people[0]}_{name.rpartition('_')[2]}"
    native = is_video_file(path)
    return Video(str(path), name, 1, METHODS[0], people[0], people[-1], original_id, native=native)


def _read_test_list(path: AnyPath) -> list[str]:
    """The names without ending in lines such as '1 YouTube-real/00170.mp4'; 1 is real and 0 is fake."""
    names: dict[str, None] = {}  # in their order
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        label, _, name = line.strip().partition(" ")
        if label not in ("0", "1") or (label == "0") != name.startswith(METHODS[0]):
            raise UserError(
                f"line {number} of {path} is '{line.strip()}'; expected '1 FOLDER/NAME' for a real video and "
                f"'0 {METHODS[0]}/NAME' for a fake"
            )
        names[name.strip().removesuffix(".mp4")] = None
    return list(names)
