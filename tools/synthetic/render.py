"""A video's frames, one at a time: the head at its pose over its room, seen by a camera with noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import cv2
import numpy as np

from tools.synthetic.artefact import Artefact, plant, region_window
from tools.synthetic.canvas import Canvas, make_canvas
from tools.synthetic.facial_parts import draw_eyes, draw_mouth
from tools.synthetic.head import SPAN_X, SPAN_Y, draw_head, head_canvas
from tools.synthetic.identity import Identity
from tools.synthetic.motion import Framing, Motion, pose
from tools.synthetic.scene import draw_scene

_OVERSAMPLING = 1.25  # a head is drawn finer than shown, so that moving it by parts of a pixel is clean


def render(
    identity: Identity,
    motion: Motion,
    framing: Framing,
    rng: np.random.Generator,
    artefact: Artefact | None = None,
    phases: np.ndarray | None = None,
    strengths: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Renders a video.

    Args:
        identity: Who is in it.
        motion: How the head moves; its length is the number of frames.
        framing: The frame, and the size of a mean face in it.
        rng: For the camera's noise.
        artefact: What to plant; nothing for an original.
        phases: With an artefact, the stripes' phase in each frame, [T].
        strengths: Their amplitude in each frame, [T]; the artefact's own in all if None.

    Yields:
        Frames, RGB uint8 [height, width, 3].
    """
    canvas = head_canvas(framing.unit * _OVERSAMPLING)
    head, opacity = draw_head(identity, canvas)
    room = draw_scene(identity, _room_canvas(identity, framing))
    for frame in range(len(motion.x)):
        layer = head.copy()
        draw_eyes(layer, identity, canvas, float(motion.blink[frame]), float(motion.gaze[frame]))
        draw_mouth(layer, identity, canvas, float(motion.speech[frame]))
        place = pose(identity, motion, frame, framing)
        image = _show(layer, opacity, canvas, room, place)
        if artefact is not None:
            if strengths is not None:
                artefact = dataclasses.replace(artefact, strength=float(strengths[frame]))
            image = plant(image, artefact, region_window(identity, artefact.region), place, phases[frame])
        noise = identity.noise * rng.standard_normal(room.shape[:2], dtype=np.float32)
        yield cv2.add(image, cv2.merge((noise, noise, noise)), dtype=cv2.CV_8U)  # rounds and saturates


def _room_canvas(identity: Identity, framing: Framing) -> Canvas:
    """The frame's grid in face units about the head's mean place."""
    size, unit = framing.size, framing.unit
    left = -size[0] / 2 / unit - identity.offset[0]
    top = -size[1] * 0.485 / unit - identity.offset[1]
    return make_canvas((left, left + size[0] / unit), (top, top + size[1] / unit), unit)


def _show(
    layer: np.ndarray, opacity: np.ndarray, canvas: Canvas, room: np.ndarray, place: np.ndarray
) -> np.ndarray:
    """Moves a head to its pose and lays it over the room."""
    to_face = np.array([[1 / canvas.unit, 0, SPAN_X[0]], [0, 1 / canvas.unit, SPAN_Y[0]], [0, 0, 1]])
    matrix = place @ to_face
    size = room.shape[1::-1]
    colour = cv2.warpAffine(layer, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(opacity, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    colour -= room
    colour *= cv2.merge((mask, mask, mask))
    colour += room
    return colour
