"""The planted artefact: stripes, too fine for a resized face, in a smooth window."""

from __future__ import annotations

import dataclasses

import numpy as np

from tools.synthetic.identity import Identity

Window = tuple[float, float, float, float]  # centre x, y, half width, half height, in face units
Box = tuple[float, float, float, float]  # left, top, width, height, in pixels

REGIONS = ("mouth", "eyes", "nose", "forehead")
# By orientation, the direction (x, y) in which the stripes follow each other.
ORIENTATIONS = {
    "horizontal": (0.0, 1.0),
    "vertical": (1.0, 0.0),
    "diagonal": (float(np.sqrt(0.5)), float(np.sqrt(0.5))),
}


@dataclasses.dataclass(frozen=True)
class Artefact:
    """What is planted in a fake.

    Attributes:
        region: One of REGIONS.
        period: Pixels of the video from stripe to stripe, across them.
        jitter: How freely the phase varies from frame to frame: 0 still stripes, 1 any phase in any frame.
        strength: Amplitude in grey levels.
        orientation: One of ORIENTATIONS: how the stripes lie.
        flicker: The share of the strength that comes and goes from frame to frame: 0 none of it, 1 all.
    """

    region: str
    period: float
    jitter: float
    strength: float
    orientation: str = "horizontal"
    flicker: float = 0.0


def region_window(identity: Identity, region: str) -> Window:
    """Where a region is on a face."""
    return {
        "mouth": (0.0, identity.mouth_y + 0.1, 0.52, 0.25),
        "eyes": (0.0, identity.eye_y, 0.75, 0.2),
        "nose": (0.0, identity.nose_tip - 0.15, 0.28, 0.3),
        "forehead": (0.0, -0.66, 0.6, 0.2),
    }[region]


def region_box(window: Window, pose: np.ndarray) -> Box:
    """The box around a window in a frame, under a pose float [2, 3]."""
    centre = pose @ np.array([window[0], window[1], 1.0])
    half = np.hypot(pose[:, 0] * window[2], pose[:, 1] * window[3])
    left, top = centre - half
    return float(left), float(top), float(2 * half[0]), float(2 * half[1])


def draw_phases(rng: np.random.Generator, jitter: float, frames: int) -> np.ndarray:
    """The stripes' phase in each frame, radians in 0..2 pi, float64 [T]."""
    still = rng.uniform(0, 2 * np.pi)
    return (still + 2 * np.pi * jitter * rng.uniform(-0.5, 0.5, frames)) % (2 * np.pi)


def draw_strengths(rng: np.random.Generator, artefact: Artefact, frames: int) -> np.ndarray:
    """The stripes' amplitude in each frame, grey levels, float64 [T]: at most the artefact's strength."""
    return artefact.strength * (1 - artefact.flicker * rng.uniform(0, 1, frames))


def plant(
    frame: np.ndarray, artefact: Artefact, window: Window, pose: np.ndarray, phase: float
) -> np.ndarray:
    """Adds the stripes to a frame.

    Args:
        frame: RGB float32 [H, W, 3] in 0..255.
        artefact: What to plant.
        window: As `region_window` gives it.
        pose: float [2, 3], face units to pixels.
        phase: Radians.

    Returns:
        A frame of the same kind; the given one is left as it is.
    """
    left, top, width, height = region_box(window, pose)
    x0, y0 = max(int(left), 0), max(int(top), 0)
    x1, y1 = min(int(left + width) + 2, frame.shape[1]), min(int(top + height) + 2, frame.shape[0])
    columns, rows = np.meshgrid(np.arange(x0, x1), np.arange(y0, y1))
    x, y = np.tensordot(np.linalg.inv(pose[:, :2]), [columns - pose[0, 2], rows - pose[1, 2]], 1)
    radius = np.hypot((x - window[0]) / window[2], (y - window[1]) / window[3])
    weight = np.clip(1 - radius**4, 0, 1) ** 2
    right, down = ORIENTATIONS[artefact.orientation]
    across = right * columns + down * rows
    stripes = artefact.strength * weight * np.sin(2 * np.pi * across / artefact.period + phase)
    planted = frame.copy()
    planted[y0:y1, x0:x1] += stripes[..., None].astype(np.float32)
    return planted
