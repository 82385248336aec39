"""Test data: real mp4 files of a real photographed face, in the shape of FaceForensics++."""

import json
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data

from deepfake_tfdata.clips.layouts.ffpp import METHODS
from deepfake_tfdata.records.metadata import read_conversion, write_conversion

# The model that --detector=yunet downloads; its licence lies beside it.
YUNET_MODEL = Path(__file__).parent / "data" / "face_detection_yunet_2023mar.onnx"
NUM_FRAMES = 4
FRAME_SIZE = 48


def face_frames(num_frames: int, size: int = 256, shift: float = 0.0) -> list[np.ndarray]:
    """uint8 [size, size, 3] frames of a photographed face (public domain, NASA) that moves a little."""
    photo = skimage.data.astronaut()
    # The face is in the upper left middle of the photograph; this zooms in on it.
    zoom = size / 300
    frames = []
    for time in range(num_frames):
        x, y = -110 + shift + 8 * np.sin(time / 6), 0 + 5 * np.cos(time / 5)
        matrix = np.float32([[zoom, 0, zoom * x], [0, zoom, zoom * y]])
        frames.append(cv2.warpAffine(photo, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE))
    return frames


def photo_to_frame(points: np.ndarray, size: int = 256) -> np.ndarray:
    """Where points [N, 2] of the photograph are in the first of `face_frames`."""
    return (points + np.array([-110, 5])) * size / 300


def blank_frames(num_frames: int, size: int = 256) -> list[np.ndarray]:
    """Frames without a face."""
    return [np.full((size, size, 3), 128, np.uint8)] * num_frames


def dissolve(before: np.ndarray, after: np.ndarray, num_frames: int) -> list[np.ndarray]:
    """Frames that turn one picture into another bit by bit."""
    return [cv2.addWeighted(after, share, before, 1 - share, 0) for share in np.linspace(0, 1, num_frames)]


def numbered_frames(num_frames: int, size: int = 64) -> list[np.ndarray]:
    """Frames whose grey level is their index times four."""
    return [np.full((size, size, 3), 4 * index, np.uint8) for index in range(num_frames)]


def write_video(
    path: Path,
    frames: list[np.ndarray],
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rate: int = 25,
    **options: str,
) -> Path:
    """Encodes frames at `rate` a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.options = {"crf": "10", **options}
        if codec == "mpeg4":
            stream.bit_rate = 8_000_000  # it knows no constant quality
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_ffpp_tree(root: Path, pairs: dict[str, list[tuple[str, str]]], num_frames: int = 12) -> Path:
    """A data set in the official layout with split lists: originals and Face2Face fakes of every pair.

    The fakes are darker, so that a detector can learn them.
    """
    splits = root / "splits"
    splits.mkdir(parents=True)
    for split, members in pairs.items():
        (splits / f"{split}.json").write_text(json.dumps(members))
        for a, b in members:
            for name in (a, b, f"{a}_{b}", f"{b}_{a}"):
                frames = face_frames(num_frames, shift=hash_shift(name))
                if "_" in name:
                    frames = [frame // 3 for frame in frames]
                    path = root / "manipulated_sequences" / METHODS[1] / "c23" / "videos" / f"{name}.mp4"
                else:
                    path = root / "original_sequences" / "youtube" / "c23" / "videos" / f"{name}.mp4"
                write_video(path, frames)
    return root


def hash_shift(name: str) -> float:
    """A few pixels that differ between videos."""
    return float(sum(map(ord, name)) % 7)


def recount(records: Path, split: str, **counts: object) -> None:
    """Changes what conversion.json says of a split, as a conversion would have written it."""
    conversion = read_conversion(records)
    conversion.counts[split].update(counts)
    write_conversion(records, conversion)
