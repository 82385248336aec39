"""What is behind the head: a room with texture and furniture, and the shoulders in a shirt."""

from __future__ import annotations

import numpy as np

from tools.synthetic.canvas import Canvas, paint, texture
from tools.synthetic.identity import Identity


def draw_scene(identity: Identity, canvas: Canvas) -> np.ndarray:
    """Draws an identity's room and shoulders; they stay still, as with a camera on a tripod.

    Args:
        identity: Whose room; its `grain_seed` decides everything random here.
        canvas: The frame's grid, in face units about the head's mean place.

    Returns:
        RGB float32 [H, W, 3] in 0..255.
    """
    rng = np.random.default_rng([identity.grain_seed, 1])
    room = np.asarray(identity.room, np.float32)
    falloff = 1 - 0.12 * (canvas.x * np.sign(-identity.light[0]) + canvas.y * 0.5)
    image = falloff[..., None] * room
    for _ in range(rng.integers(2, 6)):
        _furnish(image, canvas, rng)
    rough = texture(rng, canvas.x.shape, (0.25 * canvas.unit, 0.4 * canvas.unit))
    fine = texture(rng, canvas.x.shape, (rng.uniform(0.8, 2), rng.uniform(0.8, 2)))
    image *= (1 + 0.06 * rough + rng.uniform(0.01, 0.035) * fine)[..., None]
    _dress(image, identity, canvas, rng)
    return np.clip(image, 0, 255).astype(np.float32)


def _furnish(image: np.ndarray, canvas: Canvas, rng: np.random.Generator) -> None:
    """Adds one upright panel, door or shelf with slightly soft edges, in place."""
    left, top = rng.uniform(-2, 1.6), rng.uniform(-2.5, 1)
    right, bottom = left + rng.uniform(0.3, 1.4), top + rng.uniform(0.6, 3)
    sides = np.minimum.reduce([canvas.x - left, right - canvas.x, canvas.y - top, bottom - canvas.y])
    colour = image.mean(axis=(0, 1)) * rng.uniform(0.55, 1.35) + rng.normal(0, 10, 3)
    paint(image, np.clip(sides * canvas.unit / 4 + 0.5, 0, 1), colour.astype(np.float32))


def _dress(image: np.ndarray, identity: Identity, canvas: Canvas, rng: np.random.Generator) -> None:
    """Adds the shoulders, in place."""
    across = np.abs(canvas.x)
    slope = 1.45 + 0.16 * across + 0.25 * np.clip(across - 1.35, 0, None) ** 2
    folds = 1 + 0.07 * texture(rng, canvas.x.shape, (0.2 * canvas.unit, 0.12 * canvas.unit))
    weave = 1 + 0.02 * texture(rng, canvas.x.shape, (0.6, 0.6))
    light = 0.7 + 0.25 * identity.light[0] * np.sign(canvas.x) * np.clip(across, 0, 1)
    shirt = (light * folds * weave)[..., None] * np.asarray(identity.shirt, np.float32)
    paint(image, canvas.cover(canvas.y - slope), shirt)
