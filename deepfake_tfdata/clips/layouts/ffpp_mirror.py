"""FaceForensics++ as its common c23 mirrors lay it out: one flat folder a method, and tables in csv/."""

from collections.abc import Sequence

from deepfake_tfdata.clips.layouts import ffpp
from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.tree import child, video_files
from deepfake_tfdata.storage import AnyPath

TITLE = "FaceForensics++ c23 mirror"
DESCRIPTION = "original/*.mp4, METHOD/*.mp4"
COMPRESSIONS = ("c23",)
METHODS = ffpp.METHODS


def recognises(source: AnyPath) -> bool:
    """Whether the folder has 'original' and a method beside it."""
    folders = (child(source, method) for method in METHODS)
    return child(source, "original").is_dir() and any(folder.is_dir() for folder in folders)


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """The originals and the fakes of the chosen methods, in folders of any case.

    The mirrors have not the actors' originals; identities are those of the official layout.
    """
    videos = list(map(ffpp.youtube_original, video_files(child(source, "original"))))
    missing = [] if videos else ["originals"]
    for method in manipulations or METHODS:
        fakes = [ffpp.fake(path, method) for path in video_files(child(source, method))]
        missing += [] if fakes else [method]
        videos += fakes
    return ffpp.with_official_lists(source, videos, missing)
