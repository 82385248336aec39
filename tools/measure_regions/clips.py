"""The clips that the regions are measured on: how a head moves in each, and the video of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tools.measure_regions.photos import Photo, Pose, show

NUM_FRAMES = 32
# A frame every 0.4 seconds: 32 of them are as far apart as those of a 13-second video, spread all over it.
_RATE = Fraction(5, 2)


@dataclass(frozen=True)
class Motion:
    """How heads move in the clips of one kind; see Pose for the units.

    Attributes:
        name: of the kind.
        side: of the face at the start of the clip.
        zoom: how many times as large the face is at the end.
        roll, yaw, pitch: how far the head goes to either side.
        sway: how far it moves, as a share of the side.
        light, blur: of every frame.
        noise: sigma of the camera's noise, grey levels.
    """

    name: str
    side: float = 160.0
    zoom: float = 1.0
    roll: float = 5.0
    yaw: float = 10.0
    pitch: float = 6.0
    sway: float = 0.15
    light: tuple[float, float, float] = (1.0, 1.0, 1.0)
    blur: float = 0.0
    noise: float = 2.0

    def poses(self, random: np.random.Generator, width: int, height: int) -> list[Pose]:
        """A pose for each frame: every angle swings at its own pace from its own start."""
        x, y, roll, yaw, pitch = _swings(random, 5).T
        sides = self.side * self.zoom ** np.linspace(0, 1, NUM_FRAMES)
        columns = (
            sides,
            width / 2 + x * self.sway * sides,
            height / 2 + y * self.sway * sides,
            roll * self.roll,
            yaw * self.yaw,
            pitch * self.pitch,
        )
        return [Pose(*row, light=self.light, blur=self.blur) for row in np.stack(columns, axis=1).tolist()]


MOTIONS = (
    Motion("talking"),
    Motion("rolling to 12°", roll=12, zoom=1.1),
    Motion("rolling to 25°", roll=25),
    Motion("turning to 25°", yaw=25, pitch=12),
    Motion("zooming 1.4 times", zoom=1.4),
    Motion("zooming 2 times", side=120, zoom=2.0),
    Motion("60 pixels", side=60),
    Motion("400 pixels", side=400),
    Motion("side light", light=(1.1, 0.6, 0.3)),
    Motion("dark, blurred, noisy", light=(0.4, 0.4, 0.4), blur=0.02, noise=6.0),
)


def frames_of(motion: Motion, photo: Photo, seed: int) -> Iterator[tuple[Pose, np.ndarray]]:
    """The poses and frames, uint8 [H, W, 3], of one clip."""
    random = np.random.default_rng(seed)
    largest = motion.side * max(motion.zoom, 1)
    height = max(360, round(2 * largest / 48) * 48)
    width = height * 4 // 3
    for pose in motion.poses(random, width, height):
        frame = show(photo, pose, width, height)
        noise = random.standard_normal(frame.shape[:2], np.float32) * np.float32(motion.noise)
        yield pose, np.clip(frame + cv2.GaussianBlur(noise, (3, 3), 0)[..., None], 0, 255).astype(np.uint8)


def write_clip(path: Path, motion: Motion, photo: Photo, seed: int) -> list[Pose]:
    """Encodes a clip, every frame of which is sampled, and gives the poses in it."""
    poses, frames = zip(*frames_of(motion, photo, seed), strict=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "23", "preset": "veryfast"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return list(poses)


def _swings(random: np.random.Generator, count: int) -> np.ndarray:
    """float [NUM_FRAMES, count] between -1 and 1, each a slow sine with a faster one on it."""
    times = np.arange(NUM_FRAMES)[:, None] / float(_RATE)
    slow, fast = random.uniform(4, 9, count), random.uniform(1.5, 3, count)  # seconds a swing
    starts = random.uniform(0, 2 * np.pi, (2, count))
    return 0.75 * np.sin(2 * np.pi * times / slow + starts[0]) + 0.25 * np.sin(
        2 * np.pi * times / fast + starts[1]
    )
