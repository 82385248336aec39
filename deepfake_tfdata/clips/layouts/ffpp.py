"""FaceForensics++ as its download script lays it out (Rössler et al., ICCV 2019), with DeepFakeDetection.

DeepfakeBench (Yan et al., NeurIPS 2023) ships the same tree with frames/ID/NNN.png, faces of 256 pixels, for
videos/ID.mp4.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.tree import image_folders, is_video_file, recording_name, video_files
from deepfake_tfdata.clips.video import ORIGINAL, Video
from deepfake_tfdata.storage import AnyPath, as_path

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
    videos: list[Video] = []
    missing: list[str] = []
    if manipulations is None or set(manipulations) & set(YOUTUBE_METHODS):
        videos += map(youtube_original, recordings(originals / "youtube" / compression))
        missing += [] if videos else [f"{compression} originals"]
    for method in manipulations or METHODS:
        folder = source / "manipulated_sequences" / method
        fakes = [fake(path, method) for path in recordings(folder / compression)]
        fakes = _with_masks(fakes, folder / "masks" / "videos")
        missing += [] if fakes else [method]
        videos += fakes
        if method == DEEPFAKE_DETECTION and fakes:
            actors = [actor_original(path) for path in recordings(originals / "actors" / compression)]
            missing += [] if actors else [f"{compression} originals of the actors"]
            videos += actors
    return with_official_lists(source, _originals_with_masks(videos), missing)


def _originals_with_masks(videos: Sequence[Video]) -> list[Video]:
    """The videos, every original with the mask of its first fake, so that both follow the same face."""
    masked = sorted((video for video in videos if video.mask_path), key=lambda video: video.key, reverse=True)
    masks = {video.original_id or video.target_id: video.mask_path for video in masked}
    return [
        video if video.label else replace(video, mask_path=masks.get(video.video_id, "")) for video in videos
    ]


def _with_masks(fakes: Iterable[Video], folder: AnyPath) -> list[Video]:
    """The fakes with the masks of a folder, which are of whole pictures: cut faces have none."""
    masks = {path.stem: str(path) for path in video_files(folder)}
    return [
        replace(video, mask_path=masks.get(recording_name(as_path(video.path)), ""))
        if video.native
        else video
        for video in fakes
    ]


def with_official_lists(source: AnyPath, videos: list[Video], missing: list[str]) -> DataSet:
    """The data set with the official lists in SOURCE/splits, and the identities that they do not speak of."""
    lists = source / "splits"
    found = lists.is_dir()
    unlisted = {identity for video in videos for identity in video.identities if _is_actor(identity)}
    missing = missing if found else [*missing, "split lists"]
    return DataSet(videos, None, lists if found else None, frozenset(unlisted), missing)


def recordings(folder: AnyPath) -> list[AnyPath]:
    """FOLDER/videos/*.mp4; where there are none, the folders of faces cut out of them, FOLDER/frames/*."""
    return video_files(folder / "videos") or image_folders(folder / "frames")


def youtube_original(path: AnyPath) -> Video:
    """The original NNN.mp4."""
    name = recording_name(path)
    return Video(str(path), name, 0, ORIGINAL, target_id=name, native=is_video_file(path))


def fake(path: AnyPath, method: str) -> Video:
    """A fake named target_source: the first identity's video with the second one's expression or face.

    DeepFakeDetection adds the scene, TT_SS__scene__XXXXXXXX, and numbers its actors from 01.
    """
    name = recording_name(path)
    pair, _, rest = name.partition("__") if method == DEEPFAKE_DETECTION else (name, "", "")
    target, _, source = pair.partition("_")
    original_id = ""
    if method == DEEPFAKE_DETECTION:
        original_id = f"{target}__{rest.partition('__')[0]}"
        target, source = _actor_id(target), _actor_id(source)
    return Video(str(path), name, 1, method, target, source, original_id, native=is_video_file(path))


def actor_original(path: AnyPath) -> Video:
    """The original AA__scene.mp4 of an actor."""
    name = recording_name(path)
    actor = _actor_id(name.partition("__")[0])
    return Video(str(path), name, 0, ORIGINAL, target_id=actor, native=is_video_file(path))


def _actor_id(number: str) -> str:
    # Not to be taken for one of the YouTube videos 000 to 999.
    return f"actor {number}"


def _is_actor(identity: str) -> bool:
    return identity.startswith("actor ")
