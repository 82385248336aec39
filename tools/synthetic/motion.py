"""How a head moves over a video: a smooth sway, blinks and speech, drawn anew for each video."""

from __future__ import annotations

import dataclasses

import numpy as np

from tools.synthetic.identity import Identity

FACE_SHARE = 0.24  # half a face's width over the frame's shorter side: a face box of about 150 px in 320
FACE_BOX = 1.89  # side of the box that a conversion with Haar finds, face units, of a face of mean size
FPS = 25


@dataclasses.dataclass(frozen=True)
class Framing:
    """The frame, and how large the face in it is.

    Attributes:
        size: Width and height of the frame in pixels.
        unit: Pixels to a face unit, for a face of mean size.
    """

    size: tuple[int, int]
    unit: float


@dataclasses.dataclass(frozen=True)
class Motion:
    """One value a frame, each an array [T] of float64.

    Attributes:
        x: Sideways shift, face units.
        y: Downward shift, face units.
        scale: Size against the mean size.
        roll: Radians, clockwise as seen.
        gaze: Sideways shift of the irises, face units.
        blink: 0 open eyes, 1 shut.
        speech: 0 closed mouth, 1 widest.
    """

    x: np.ndarray
    y: np.ndarray
    scale: np.ndarray
    roll: np.ndarray
    gaze: np.ndarray
    blink: np.ndarray
    speech: np.ndarray


def _sway(rng: np.random.Generator, seconds: np.ndarray, slowest: float, fastest: float) -> np.ndarray:
    """A smooth curve of about -1..1: three sinusoids, the faster the smaller."""
    rates = np.sort(rng.uniform(slowest, fastest, 3))
    phases = rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * np.outer(rates, seconds) + phases[:, None])
    return np.array([0.6, 0.3, 0.15]) @ waves


def _blinks(rng: np.random.Generator, seconds: np.ndarray) -> np.ndarray:
    """Eyes shut for about a quarter of a second, every two to five seconds."""
    moment, shut = rng.uniform(-2, 2), np.zeros_like(seconds)
    while moment < seconds[-1] + 1:
        shut = np.maximum(shut, np.clip(1.3 - np.abs(seconds - moment) / 0.11, 0, 1))
        moment += rng.uniform(2, 5)
    return shut


def draw_motion(rng: np.random.Generator, frames: int) -> Motion:
    """Draws how a head moves.

    Args:
        rng: The video's own generator.
        frames: How many frames, FPS a second.

    Returns:
        The motion, `frames` values each.
    """
    seconds = np.arange(frames) / FPS
    talkative = np.clip(0.6 + 0.6 * _sway(rng, seconds, 0.2, 0.8), 0, 1)
    return Motion(
        x=0.07 * rng.uniform(0.5, 1) * _sway(rng, seconds, 0.1, 0.9),
        y=0.05 * rng.uniform(0.5, 1) * _sway(rng, seconds, 0.1, 0.9),
        scale=1 + 0.025 * _sway(rng, seconds, 0.1, 0.6),
        roll=np.radians(4) * rng.uniform(0.4, 1) * _sway(rng, seconds, 0.1, 0.7),
        gaze=0.03 * _sway(rng, seconds, 0.3, 1.5),
        blink=_blinks(rng, seconds),
        speech=talkative * np.clip(0.5 + 0.6 * _sway(rng, seconds, 1.5, 5), 0, 1),
    )


def frame_face(size: tuple[int, int], face_size: float | None = None) -> Framing:
    """A frame of (width, height), and in it a face whose box has about that side; FACE_SHARE if None."""
    return Framing(size, FACE_SHARE * min(size) if face_size is None else face_size / FACE_BOX)


def pose(identity: Identity, motion: Motion, frame: int, framing: Framing) -> np.ndarray:
    """Where the face is in a frame.

    Args:
        identity: Whose face.
        motion: The video's motion.
        frame: Which frame.
        framing: The frame, and the size of a mean face in it.

    Returns:
        float64 [2, 3]: takes (x, y, 1) in face units to the frame's pixels.
    """
    size, unit = framing.size, framing.unit
    scale = unit * identity.size * motion.scale[frame]
    cos, sin = np.cos(motion.roll[frame]) * scale, np.sin(motion.roll[frame]) * scale
    x = size[0] / 2 + unit * (identity.offset[0] + motion.x[frame])
    y = size[1] * 0.485 + unit * (identity.offset[1] + motion.y[frame])
    return np.array([[cos, -sin, x], [sin, cos, y]])
