"""A head at rest, drawn once a video: skull, hair, ears, neck, brows and nose, shaded from a height map."""

from __future__ import annotations

import numpy as np

from tools.synthetic.canvas import Canvas, blob, make_canvas, paint, texture
from tools.synthetic.identity import Identity

SPAN_X, SPAN_Y = (-1.5, 1.5), (-1.75, 2.2)


def head_canvas(unit: float) -> Canvas:
    """The grid a head is drawn on."""
    return make_canvas(SPAN_X, SPAN_Y, unit)


def draw_head(identity: Identity, canvas: Canvas) -> tuple[np.ndarray, np.ndarray]:
    """Draws a head without its eyeballs and lips.

    Args:
        identity: Whose head; its `grain_seed` decides the grain of hair and skin.
        canvas: The grid to draw on.

    Returns:
        RGB float32 [H, W, 3] in 0..255, and the opacity float32 [H, W] in 0..1.
    """
    rng = np.random.default_rng([identity.grain_seed, 0])
    skin = np.asarray(identity.skin, np.float32)
    oval = _oval(identity, canvas)
    image = np.broadcast_to(0.45 * skin, (*canvas.x.shape, 3)).copy()  # dark, or edges would shine
    strands = _hair(identity, canvas, rng)
    back = _hair_outline(identity, canvas)
    paint(image, back, strands)
    neck = _neck(canvas)
    paint(image, neck, _neck_colour(identity, canvas, skin))
    ears = _ears(identity, canvas)
    paint(image, ears, skin * 0.72)
    face = canvas.cover((1 - oval) / 2)
    paint(image, face, _face_colour(identity, canvas, oval, skin, rng))
    front = back * canvas.cover(_hairline(identity, canvas) - canvas.y) * (not identity.bald)
    paint(image, front, strands)
    return np.clip(image, 0, 255), np.maximum.reduce([back, neck, ears, face])


def _oval(identity: Identity, canvas: Canvas) -> np.ndarray:
    """1 on the outline of the face, less inside: an ellipse above, a tapered superellipse below."""
    down = np.maximum(canvas.y, 0) / identity.chin
    up = np.minimum(canvas.y, 0) / 1.32
    x = np.abs(canvas.x) / identity.width / (1 - identity.jaw_taper * np.minimum(down, 1) ** 2)
    # The power grows from 2 on the way down: a jump would show as a crease across the cheeks.
    power = 2 + (identity.jaw_power - 2) * np.minimum(down, 1)
    return x**power + down**power + up**2


def _height(identity: Identity, canvas: Canvas, oval: np.ndarray) -> np.ndarray:
    """How far the face stands out towards the camera, in face units."""
    who, y = identity, canvas.y
    height = 0.75 * np.sqrt(np.clip(1 - oval, 0.0, 1))
    along = np.clip((y - who.eye_y + 0.1) / (who.nose_tip - who.eye_y + 0.1), 0, 1)
    spread = 0.08 + (who.nose_width - 0.08) * along
    below = np.clip((who.nose_tip + 0.13 - y) / 0.16, 0, 1)
    height += 0.3 * along**1.2 * np.exp(-0.5 * (canvas.x / spread) ** 2) * below
    height += 0.07 * blob(canvas, (0, who.eye_y - 0.25), (0.5, 0.1))
    height += 0.07 * blob(canvas, (0, who.chin - 0.22), (0.2, 0.12))
    height += 0.05 * blob(canvas, (0, who.mouth_y), (0.3, 0.13))
    for side in (-1, 1):
        height -= 0.13 * blob(canvas, (side * who.eye_x, who.eye_y), (0.2, 0.12))
        height += 0.08 * blob(canvas, (side * 0.5, 0.25), (0.22, 0.18))
        height += 0.06 * blob(canvas, (side * who.nose_width, who.nose_tip + 0.02), (0.06, 0.06))
    return height


def _shade(identity: Identity, canvas: Canvas, height: np.ndarray) -> np.ndarray:
    """Light on a height map, [H, W]: ambient plus Lambert, about 0.4..1.1."""
    down, across = np.gradient(height, 1 / canvas.unit)
    length = np.sqrt(down**2 + across**2 + 1)
    x, y, z = identity.light
    lambert = np.clip((-across * x - down * y + z) / length, 0, 1)
    return identity.ambient + (1.08 - identity.ambient) * lambert


def _face_colour(
    identity: Identity, canvas: Canvas, oval: np.ndarray, skin: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Skin with light, hollows, cheeks, stubble, nostrils and brows, [H, W, 3]."""
    who = identity
    light = _shade(who, canvas, _height(who, canvas, oval))
    light = light * (1 - 0.25 * np.clip(oval, 0, 1) ** 4)
    for side in (-1, 1):
        light = light * (1 - 0.34 * blob(canvas, (side * who.eye_x, who.eye_y - 0.04), (0.2, 0.12)))
        light = light * (1 - 0.65 * blob(canvas, (side * 0.08, who.nose_tip + 0.07), (0.035, 0.022)))
    light = light * (1 - 0.22 * blob(canvas, (0, who.nose_tip + 0.12), (0.14, 0.04)))
    light = light * (1 - 0.16 * blob(canvas, (0, who.mouth_y + 0.2), (0.18, 0.05)))
    light = light * (1 + 0.1 * blob(canvas, (0, who.eye_y + 0.15), (0.05, 0.25)))
    light = light * (1 + 0.012 * texture(rng, light.shape, (2, 2)))
    beard = np.clip((canvas.y - 0.35) * 3, 0, 1) * (1 - blob(canvas, (0, 0.4), (0.4, 0.15)))
    light = light * (1 - who.stubble * beard * (1 + 0.12 * texture(rng, light.shape, (0.6, 0.6))))
    colour = light[..., None] * skin
    flush = sum(blob(canvas, (side * 0.55, 0.3), (0.2, 0.16)) for side in (-1, 1))
    colour *= 1 - flush[..., None] * np.asarray([0, 0.06, 0.05], np.float32)
    paint(colour, _brows(who, canvas) * 0.85, 0.55 * light[..., None] * np.asarray(who.hair, np.float32))
    return colour


def _brows(identity: Identity, canvas: Canvas) -> np.ndarray:
    """Two arched strokes, thinner towards the temples, [H, W]."""
    across = (np.abs(canvas.x) - identity.eye_x) / 0.29
    line = identity.eye_y - identity.brow_height - identity.brow_arch * (1 - across**2)
    thick = identity.brow_thickness * np.clip(1.1 - 0.35 * across - across**4, 0, 1)
    return canvas.cover(thick - np.abs(canvas.y - line)) * (np.abs(across) < 1.1)


def _hairline(identity: Identity, canvas: Canvas) -> np.ndarray:
    """The y above which hair covers the face, lower at the temples."""
    return identity.hairline + 0.78 * np.abs(canvas.x / identity.width) ** 3.5


def _hair_outline(identity: Identity, canvas: Canvas) -> np.ndarray:
    """The hair behind the face: a cap, and locks down to `hair_side`; nothing on a bald head."""
    if identity.bald:
        return np.zeros_like(canvas.x)
    x = np.abs(canvas.x) / (1.12 * identity.width)
    cap = 1 - np.sqrt(x**2 + ((canvas.y + 0.2) / 1.34) ** 2)
    locks = np.minimum(1 - x - 0.05 * canvas.y**2, identity.hair_side - canvas.y)
    return canvas.cover(np.maximum(cap, np.minimum(locks, canvas.y + 0.2)))


def _hair(identity: Identity, canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """The colour of hair, [H, W, 3]: strands that run down, lighter towards the light."""
    shape = canvas.x.shape
    strands = 1 + 0.16 * texture(rng, shape, (1.2, 14)) + 0.08 * texture(rng, shape, (6, 20))
    shine = 0.75 + 0.3 * blob(canvas, (0.6 * identity.light[0], -1.2), (0.6, 0.25))
    return np.clip(strands * shine, 0.2, 2)[..., None] * np.asarray(identity.hair, np.float32)


def _neck(canvas: Canvas) -> np.ndarray:
    """A column with a rounded end: the neckline of the shirt."""
    column = np.minimum(0.58 + 0.1 * np.maximum(canvas.y - 1.2, 0) - np.abs(canvas.x), canvas.y - 0.6)
    rounded = 1 - np.sqrt((canvas.x / 0.8) ** 2 + ((canvas.y - 1.2) / 0.75) ** 2)
    return canvas.cover(np.minimum(column, rounded))


def _neck_colour(identity: Identity, canvas: Canvas, skin: np.ndarray) -> np.ndarray:
    """Skin on a cylinder under the shadow of the chin, [H, W, 3]."""
    across = np.clip(canvas.x / 0.62, -1, 1)
    light = identity.ambient + 0.45 * np.clip(np.sqrt(1 - across**2) + identity.light[0] * across, 0, 1.2)
    shadow = 1 - 0.5 * np.clip(1.5 - (canvas.y - identity.chin) / 0.22, 0, 1)
    return (light * shadow)[..., None] * skin


def _ears(identity: Identity, canvas: Canvas) -> np.ndarray:
    """An ellipse on either side, [H, W]."""
    x = (np.abs(canvas.x) - 0.98 * identity.width) / 0.13
    return canvas.cover((1 - np.sqrt(x**2 + ((canvas.y - 0.05) / 0.27) ** 2)) * 0.13)
