"""DeeperForensics-1.0 (Jiang et al., CVPR 2020): actors' faces on the 1,000 originals of FaceForensics++."""

from collections.abc import Sequence

from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.ffpp import COMPRESSIONS as COMPRESSIONS
from deepfake_tfdata.clips.layouts.ffpp import youtube_original
from deepfake_tfdata.clips.layouts.tree import folders, read_text, video_files
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.storage import AnyPath, below

TITLE = "DeeperForensics-1.0"
DESCRIPTION = (
    "manipulated_videos/METHOD/TTT_ACTOR.mp4, lists/splits/*.txt, original_sequences/youtube/c23/videos"
)
# The swap itself, another blending of it, and the same swap under distortions.
METHODS = (
    "end_to_end",
    *(f"end_to_end_level_{level}" for level in range(1, 6)),
    *(f"end_to_end_mix_{count}_distortions" for count in range(2, 5)),
    "end_to_end_random_level",
    "reenact_postprocess",
)


def recognises(source: AnyPath) -> bool:
    """Whether the folder of manipulated videos is there."""
    return (source / "manipulated_videos").is_dir()


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """The fakes of the chosen methods, and as reals the FaceForensics++ originals that lie in the same tree.

    source_videos holds the actors' recordings, which its authors do not mean as reals. The lists name fakes
    only; an original goes where its fake goes.
    """
    folder = source / "original_sequences" / "youtube" / compression / "videos"
    originals = list(map(youtube_original, video_files(folder)))
    fakes = [
        _fake(path, method.name)
        for method in folders(source / "manipulated_videos")
        if manipulations is None or method.name in manipulations
        for path in video_files(method)
    ]
    found = {video.manipulation for video in fakes}
    missing = [method for method in manipulations or METHODS if method not in found]
    missing += [] if originals else [f"the originals of FaceForensics++ ({below(folder, source)})"]
    listed = _read_lists(source / "lists" / "splits")
    if not listed:
        return DataSet(originals + fakes, missing=[*missing, "split lists (lists/splits)"])
    targets = {name.partition("_")[0]: split for name, split in listed.items()}
    splits = {video.key: listed[video.video_id] for video in fakes if video.video_id in listed}
    splits |= {video.key: targets[video.video_id] for video in originals if video.video_id in targets}
    return DataSet(originals + fakes, splits, missing=missing)


def _fake(path: AnyPath, method: str) -> Video:
    target, _, actor = path.stem.partition("_")
    return Video(str(path), path.stem, 1, method, target_id=target, source_id=actor)


def _read_lists(folder: AnyPath) -> dict[str, str]:
    """The split of each name in train.txt, val.txt and test.txt, one file name a line."""
    listed = {}
    for split in SPLITS:
        path = folder / f"{split}.txt"
        for line in read_text(path).split() if path.is_file() else ():
            listed[line.rpartition("/")[2].partition(".")[0]] = split
    return listed
