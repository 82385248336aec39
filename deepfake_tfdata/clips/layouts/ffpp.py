"""FaceForensics++ as its download script lays it out (Rössler et al., ICCV 2019), with DeepFakeDetection."""

from collections.abc import Sequence

from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.tree import video_files
from deepfake_tfdata.clips.video import ORIGINAL, Video
from deepfake_tfdata.storage import AnyPath

TITLE = "FaceForensics++ official"
DESCRIPTION = "original_sequences/youtube/c23/videos/*.mp4, manipulated_sequences/METHOD/c23/videos/*.mp4"
COMPRESSIONS = ("raw", "c23", "c40")
# Made of the 1,000 YouTube videos.
YOUTUBE_METHODS = ("Deepfakes", "Face2Face", "FaceShifter", "FaceSwap", "NeuralTextures")
# Made of the videos of 28 paid actors, which the official lists do not divide.
DEEPFAKE_DETECTION = "DeepFakeDetection"
METHODS = (*YOUTUBE_METHODS, DEEPFAKE_DETECTION)


def recognises(source: AnyPath) -> bool:
    """Whether the folder has the two top folders of the download script."""
    youtube = source / "original_sequences" / "youtube"
    return youtube.is_dir() or (source / "manipulated_sequences").is_dir()


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """Originals, and fakes of the chosen methods; actors' originals come with DeepFakeDetection only."""
    originals = source / "original_sequences"
    videos, missing = [], []
    if manipulations is None or set(manipulations) & set(YOUTUBE_METHODS):
        videos += youtube_originals(originals / "youtube" / compression / "videos")
        missing += [] if videos else [f"{compression} originals"]
    for method in manipulations or METHODS:
        folder = source / "manipulated_sequences" / method
        fakes = [fake(path, method) for path in video_files(folder / compression / "videos")]
        missing += [] if fakes else [method]
        videos += fakes
        if method == DEEPFAKE_DETECTION and fakes:
            actors = [_actor(path) for path in video_files(originals / "actors" / compression / "videos")]
            missing += [] if actors else [f"{compression} originals of the actors"]
            videos += actors
    return with_official_lists(source, videos, missing)


def with_official_lists(source: AnyPath, videos: list[Video], missing: list[str]) -> DataSet:
    """The data set with the official lists in SOURCE/splits, and the identities that they do not speak of."""
    lists = source / "splits"
    found = lists.is_dir()
    unlisted = {identity for video in videos for identity in video.identities if _is_actor(identity)}
    missing = missing if found else [*missing, "split lists"]
    return DataSet(videos, None, lists if found else None, frozenset(unlisted), missing)


def youtube_originals(folder: AnyPath) -> list[Video]:
    """The originals NNN.mp4 of a folder."""
    return [Video(str(path), path.stem, 0, ORIGINAL, target_id=path.stem) for path in video_files(folder)]


def fake(path: AnyPath, method: str) -> Video:
    """A fake named target_source: the first identity's video with the second one's expression or face.

    DeepFakeDetection adds the scene, TT_SS__scene__XXXXXXXX, and numbers its actors from 01.
    """
    pair, _, rest = path.stem.partition("__") if method == DEEPFAKE_DETECTION else (path.stem, "", "")
    target, _, source = pair.partition("_")
    original_id = ""
    if method == DEEPFAKE_DETECTION:
        original_id = f"{target}__{rest.partition('__')[0]}"
        target, source = _actor_id(target), _actor_id(source)
    return Video(str(path), path.stem, 1, method, target, source, original_id)


def _actor(path: AnyPath) -> Video:
    return Video(str(path), path.stem, 0, ORIGINAL, target_id=_actor_id(path.stem.partition("__")[0]))


def _actor_id(number: str) -> str:
    # Not to be taken for one of the YouTube videos 000 to 999.
    return f"actor {number}"


def _is_actor(identity: str) -> bool:
    return identity.startswith("actor ")
