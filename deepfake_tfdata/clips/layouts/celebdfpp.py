"""Celeb-DF++ (Li et al., 2025): Celeb-DF's celebrities in fakes of 22 methods and three kinds."""

from collections.abc import Sequence

from deepfake_tfdata.clips.layouts import celebdf
from deepfake_tfdata.clips.layouts.data_set import DataSet, passed_over
from deepfake_tfdata.clips.layouts.names import identities
from deepfake_tfdata.clips.layouts.tree import folders, is_video_file, recording_name
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.storage import AnyPath, below

TITLE = "Celeb-DF++"
DESCRIPTION = (
    "Celeb-real/*.mp4, YouTube-real/*.mp4, Celeb-synthesis/{FaceSwap,FaceReenact,TalkingFace}/METHOD/*.mp4, "
    "List_of_testing_videos.txt"
)
METHODS = (
    *("Celeb-DF", "BlendFace", "GHOST", "HifiFace", "InSwapper", "MobileFaceSwap", "SimSwap", "UniFace"),
    *("DaGAN", "FSRT", "HyperReenact", "LIA", "LivePortrait", "MCNET", "TPSMM"),
    *("AniTalker", "EchoMimic", "EDTalk", "FLOAT", "IP_LAP", "Real3DPortrait", "SadTalker"),
)
COMPRESSIONS = ()


def recognises(source: AnyPath) -> bool:
    """Whether the fakes are in folders of the three kinds."""
    return bool(celebdf.scenarios(source))


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """Reals as in Celeb-DF v2, and the fakes of the chosen methods; the test list counts, as there.

    A name is idT_idS_REC (the recording REC of T, with S's face or movements) or idT_REC_test_REF (that
    recording, talking with a voice). Others are passed over.

    Raises:
        UserError: the test list is damaged, or says of a video what its folder does not.
    """
    videos = celebdf.reals(source)
    read_folders, unknown = list(celebdf.REAL_FOLDERS), []
    for folder in (method for scenario in celebdf.scenarios(source) for method in folders(scenario)):
        if manipulations is not None and folder.name not in manipulations:
            continue
        place = below(folder, source).as_posix()
        read_folders.append(place)
        for path in celebdf.recordings(folder):
            video = _fake(path, folder.name)
            if video:
                videos[f"{place}/{recording_name(path)}"] = video
            else:
                unknown.append(f"{place}/{path.name}")
    notes = passed_over("videos whose names are not Celeb-DF++'s", unknown)
    return celebdf.with_test_list(source, videos, read_folders, notes)


def _fake(path: AnyPath, method: str) -> Video | None:
    name = recording_name(path)
    people = identities(name)
    if not people or not people.target.startswith("id") or not people.original:
        return None
    return Video(
        str(path), name, 1, method, people.target, people.source, people.original, native=is_video_file(path)
    )
