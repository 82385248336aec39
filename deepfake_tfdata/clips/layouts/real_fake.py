"""Plain folders: whatever lies below real/ is real, and below fake/ is fake."""

from collections.abc import Sequence

from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.tree import child, recording_name, recordings_below, relative_name
from deepfake_tfdata.clips.video import LABEL_NAMES, ORIGINAL, Video
from deepfake_tfdata.storage import AnyPath

TITLE = "folders"
DESCRIPTION = "real/**/*.mp4, fake/**/*.mp4 (or .avi, .mov, .mkv, .webm, or folders of images)"
METHODS = ("fake",)
COMPRESSIONS = ()


def recognises(source: AnyPath) -> bool:
    """Whether both folders are there, in any case."""
    return all(child(source, name).is_dir() for name in LABEL_NAMES)


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """All videos below the two folders; a name is an identity: real/a.mp4 goes with fake/x/a.mp4 and fake/a/.

    A folder below real/ or fake/ that holds images and nothing else is one video.
    """
    videos, missing = [], []
    for label, (name, manipulation) in enumerate(zip(LABEL_NAMES, (ORIGINAL, *METHODS), strict=True)):
        folder = child(source, name)
        found = [
            Video(str(path), relative_name(path, folder), label, manipulation, recording_name(path))
            for path in recordings_below(folder)
        ]
        missing += [] if found else [f"videos in {name}/"]
        videos += found
    return DataSet(videos, missing=missing)
