"""What moves in a face, drawn every frame on small windows of the head: eyes and a mouth."""

from __future__ import annotations

import numpy as np

from tools.synthetic.canvas import Canvas, paint
from tools.synthetic.identity import Identity

_WHITE = np.asarray([226, 222, 216], np.float32)
_LASH = np.asarray([26, 20, 18], np.float32)
_THROAT = np.asarray([58, 22, 22], np.float32)
_TEETH = np.asarray([214, 208, 194], np.float32)


def draw_eyes(image: np.ndarray, identity: Identity, canvas: Canvas, blink: float, gaze: float) -> None:
    """Draws both eyes into a head, in place.

    Args:
        image: RGB float32 [H, W, 3], drawn on the canvas.
        identity: Whose eyes.
        canvas: The head's grid.
        blink: 0 open, 1 shut.
        gaze: How far the irises look aside, face units.
    """
    for side in (-1, 1):
        centre = side * identity.eye_x
        window = canvas.window((centre - 0.24, centre + 0.24), (identity.eye_y - 0.18, identity.eye_y + 0.1))
        _draw_eye(image[window], identity, canvas.part(window), centre, blink, gaze)


def _draw_eye(
    image: np.ndarray, identity: Identity, canvas: Canvas, centre: float, blink: float, gaze: float
) -> None:
    across = (canvas.x - centre) / identity.eye_half_width
    bow = np.clip(1 - across**2, 0, 1)
    within = np.abs(across) < 1.05
    lower = identity.eye_y + 0.55 * identity.eye_opening * bow
    upper = lower - 1.55 * identity.eye_opening * (1 - blink) * bow
    opened = canvas.cover(np.minimum(canvas.y - upper, lower - canvas.y)) * within
    # The upper lid throws a shadow on the eyeball: without it eyes stare, and the cascade sees no dark band.
    shadow = 0.62 + 0.33 * np.clip((canvas.y - upper) / 0.12, 0, 1)
    ball = shadow[..., None] * _WHITE * identity.ambient * 1.75
    distance = np.hypot(canvas.x - centre - gaze, canvas.y - identity.eye_y + 0.01)
    paint(ball, canvas.cover(0.088 - distance), np.asarray(identity.iris, np.float32))
    paint(ball, canvas.cover(0.042 - distance), _LASH)
    glint = np.hypot(canvas.x - centre - gaze - 0.03 * identity.light[0], canvas.y - identity.eye_y + 0.04)
    paint(ball, canvas.cover(0.016 - glint), _WHITE)
    paint(image, opened, ball)
    paint(image, canvas.cover(0.022 * np.sqrt(bow) - np.abs(canvas.y - upper)) * within, _LASH)
    crease = 0.4 * canvas.cover(0.008 - np.abs(canvas.y - upper + 0.055)) * bow
    paint(image, crease, image * 0.6)


def draw_mouth(image: np.ndarray, identity: Identity, canvas: Canvas, speech: float) -> None:
    """Draws the lips and what shows between them into a head, in place.

    Args:
        image: RGB float32 [H, W, 3], drawn on the canvas.
        identity: Whose mouth.
        canvas: The head's grid.
        speech: 0 closed, 1 widest.
    """
    window = canvas.window((-0.42, 0.42), (identity.mouth_y - 0.15, identity.mouth_y + 0.29))
    part, canvas = image[window], canvas.part(window)
    across = canvas.x / (identity.mouth_half_width * (1 - 0.1 * speech))
    bow = np.clip(1 - across**2, 0, 1)
    within = np.abs(across) < 1
    inner_top = identity.mouth_y - 0.03 * speech * bow
    inner_low = identity.mouth_y + 0.15 * speech * bow
    cupid = 1 - 0.25 * np.exp(-0.5 * (across / 0.12) ** 2)
    outer_top = inner_top - identity.lip * bow**0.7 * cupid
    outer_low = inner_low + 1.15 * identity.lip * bow**0.8
    lips = canvas.cover(np.minimum(canvas.y - outer_top, outer_low - canvas.y)) * within
    red = 1 - identity.lip_redness * np.asarray([0.25, 1, 0.8], np.float32)
    # The upper lip faces down and is darker; the lower one catches the light.
    tone = np.where(canvas.y < inner_top, np.float32(0.8), np.float32(0.98))[..., None] * red
    paint(part, lips, part * tone)
    gap = canvas.cover(np.minimum(canvas.y - inner_top, inner_low - canvas.y)) * within
    paint(part, gap, _THROAT * identity.ambient * 1.6)
    teeth = canvas.cover(np.minimum(inner_top + 0.055 - canvas.y, 0.7 - np.abs(across)))
    paint(part, gap * teeth * 0.9, _TEETH * identity.ambient * 1.6)
    seam = canvas.cover(0.012 * np.sqrt(bow) - np.abs(canvas.y - inner_top)) * within
    paint(part, 0.75 * seam, _THROAT * 0.8)
