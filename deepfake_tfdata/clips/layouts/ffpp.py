"""FaceForensics++ as its download script lays it out (Rössler et al., ICCV 2019)."""

from collections.abc import Sequence
from pathlib import Path

from deepfake_tfdata.clips.video import ORIGINAL, Video
from deepfake_tfdata.errors import UserError

DESCRIPTION = "original_sequences/youtube/c23/videos/*.mp4, manipulated_sequences/METHOD/c23/videos/*.mp4"
COMPRESSIONS = ("raw", "c23", "c40")
METHODS = ("Deepfakes", "Face2Face", "FaceShifter", "FaceSwap", "NeuralTextures")


def recognises(root: Path) -> bool:
    """Whether the folder has the two top folders of the download script."""
    return (root / "original_sequences" / "youtube").is_dir() or (root / "manipulated_sequences").is_dir()


def find_videos(root: Path, compression: str, manipulations: Sequence[str] | None) -> list[Video]:
    """The originals and the fakes of the chosen methods, sorted by key.

    Args:
        root: holds original_sequences and manipulated_sequences.
        compression: raw, c23 or c40.
        manipulations: names out of METHODS; None takes every method that is there.

    Raises:
        UserError: an unknown compression or method, a method that is not there, or no video at all.
    """
    if compression not in COMPRESSIONS:
        raise UserError(f"--compression={compression} is unknown; choose from {', '.join(COMPRESSIONS)}")
    videos = [_original(path) for path in _mp4s(root / "original_sequences" / "youtube", compression)]
    for method in _methods(root, manipulations):
        fakes = [_fake(path, method) for path in _mp4s(root / "manipulated_sequences" / method, compression)]
        if manipulations and not fakes:
            raise UserError(f"no {compression} videos of '{method}' in {root}; download them or leave it out")
        videos += fakes
    if not videos:
        raise UserError(f"no {compression} videos in {root}; expected {DESCRIPTION}")
    return sorted(videos, key=lambda video: video.key)


def default_splits(root: Path) -> Path | None:
    """ROOT/splits, where people put the official lists."""
    folder = root / "splits"
    return folder if folder.is_dir() else None


def _methods(root: Path, manipulations: Sequence[str] | None) -> Sequence[str]:
    for method in manipulations or ():
        if method not in METHODS:
            raise UserError(f"unknown manipulation '{method}'; choose from {', '.join(METHODS)}")
    return manipulations or [m for m in METHODS if (root / "manipulated_sequences" / m).is_dir()]


def _mp4s(folder: Path, compression: str) -> list[Path]:
    return sorted((folder / compression / "videos").glob("*.mp4"))


def _original(path: Path) -> Video:
    return Video(str(path), path.stem, 0, ORIGINAL, target_id=path.stem)


def _fake(path: Path, method: str) -> Video:
    # A fake is named target_source: the first identity's video with the second one's expression or face.
    target, _, source = path.stem.partition("_")
    return Video(str(path), path.stem, 1, method, target_id=target, source_id=source)
