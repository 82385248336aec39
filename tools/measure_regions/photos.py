"""Photographed faces with eyes and lips marked by hand, and their heads turned, moved and lit.

Both photographs are in the public domain (NASA; the US Navy) and come with scikit-image and matplotlib.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import skimage.data

# The head is taken for a cylinder in both directions. Its radii, in units of the face's side: the ears lie at
# half a side, and a head is higher than it is wide.
_RADII: np.ndarray = np.array([0.75, 0.9])


@dataclass(frozen=True)
class Photo:
    """A photograph and the outlines in it.

    Attributes:
        name: of the person.
        image: uint8 [H, W, 3].
        eyes: float [2, 4, 2], of each eye both corners, the upper lid's top and the lower lid's bottom.
        lips: float [N, 2], corners and the edges of both lips.
    """

    name: str
    image: np.ndarray
    eyes: np.ndarray
    lips: np.ndarray

    @cached_property
    def side(self) -> float:
        """Of a face box of the convention: eyes and lips are 44 % of its height apart."""
        return float(np.linalg.norm(self._lip_line - self._eye_line)) / 0.44

    @cached_property
    def centre(self) -> np.ndarray:
        """Of that box, [2]."""
        return self._eye_line + (self._lip_line - self._eye_line) * (0.2 / 0.44)

    def mirrored(self) -> "Photo":
        """The other way round."""
        last = self.image.shape[1] - 1

        def turn(points: np.ndarray) -> np.ndarray:
            return points * [-1, 1] + [last, 0]

        return replace(
            self,
            name=f"{self.name}, mirrored",
            image=self.image[:, ::-1],
            eyes=turn(self.eyes),
            lips=turn(self.lips),
        )

    @property
    def _eye_line(self) -> np.ndarray:
        return self.eyes.mean(axis=(0, 1))

    @property
    def _lip_line(self) -> np.ndarray:
        return self.lips[:2].mean(axis=0)  # of the corners


@dataclass(frozen=True)
class Pose:
    """How a head is shown in a frame.

    Attributes:
        side: of the face, pixels.
        x, y: where the middle of the face is, pixels.
        roll, yaw, pitch: degrees.
        light: what grey levels are multiplied with on the left, in the middle and on the right.
        blur: sigma as a share of the side.
    """

    side: float
    x: float
    y: float
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    light: tuple[float, float, float] = (1.0, 1.0, 1.0)
    blur: float = 0.0


def annotated_photos() -> list[Photo]:
    """Both photographs, upright."""
    hopper = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return [
        Photo(
            "astronaut",
            skimage.data.astronaut(),
            np.array(
                [
                    [(192, 101), (213, 104), (202, 96), (204, 105.5)],
                    [(235.5, 105), (259, 104), (247, 99.5), (247, 107)],
                ]
            ),
            np.array([(202, 139.5), (244, 141), (217, 139.5), (231, 139.5), (222, 154.5)]),
        ),
        Photo(
            "admiral",
            cv2.cvtColor(cv2.imread(str(hopper)), cv2.COLOR_BGR2RGB),
            np.array(
                [
                    [(205, 191), (244, 193), (222, 182), (222, 198)],
                    [(285, 191), (325, 190), (305, 178), (305, 196)],
                ],
                float,
            ),
            np.array([(226, 281), (308, 280), (255, 273), (278, 272.5), (262, 296)]),
        ),
    ]


def show(photo: Photo, pose: Pose, width: int, height: int) -> np.ndarray:
    """A frame, uint8 [height, width, 3], of the photograph's head in a pose."""
    image, side, centre = photo.image, photo.side, photo.centre
    if pose.side < side:
        # Small enough that taking single pixels does not alias.
        scale = pose.side / side
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        # Pixel centres lie at whole numbers.
        side, centre = side * scale, (centre + 0.5) * scale - 0.5
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    heads = (grid - np.float32([pose.x, pose.y])) @ np.float32(_turn(pose.roll) / pose.side)
    where = _around(heads, -_angles(pose)) * np.float32(side) + np.float32(centre)
    frame = cv2.remap(
        image, where[..., 0], where[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    frame *= np.interp(np.arange(width), [0, width / 2, width], pose.light)[None, :, None]
    if pose.blur:
        frame = cv2.GaussianBlur(frame, (0, 0), pose.blur * pose.side)
    return np.clip(frame, 0, 255).astype(np.uint8)


def place(photo: Photo, points: np.ndarray, pose: Pose) -> np.ndarray:
    """Where points [..., 2] of the photograph are in the frame that `show` gives."""
    heads = (points - photo.centre) / photo.side
    return _around(heads, _angles(pose)) @ _turn(-pose.roll) * pose.side + [pose.x, pose.y]


def _angles(pose: Pose) -> np.ndarray:
    return np.radians([pose.yaw, pose.pitch])


def _turn(degrees: float) -> np.ndarray:
    """The matrix that turns row vectors back by an angle."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, -sin], [sin, cos]])


def _around(heads: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Points [..., 2] of a head, in sides from its middle, turned about both axes.

    What is before the cylinder's edge turns; the rest moves with the edge, so that no seam shows.
    """
    radii, angles = _RADII.astype(heads.dtype), angles.astype(heads.dtype)
    sines = np.clip(heads / radii, -1, 1)
    # The sine of the sum of two angles; half a circle has no negative cosine.
    turned = radii * (sines * np.cos(angles) + np.sqrt(1 - sines**2) * np.sin(angles))
    moved = heads - np.sign(heads) * radii * (1 - np.cos(angles))
    return np.where(np.abs(heads) > radii, moved, turned)
