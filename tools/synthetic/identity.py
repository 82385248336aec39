"""Who a face is: everything that stays the same in each of its videos, drawn from a seed.

Lengths are in face units: 1 is half the width of an average face; the origin is its centre, y points down.
"""

from __future__ import annotations

import dataclasses

import numpy as np

# Pale to dark, as 8-bit RGB albedo under full light.
SKINS = ((255, 218, 196), (244, 199, 170), (226, 176, 142), (203, 150, 113), (172, 120, 88), (139, 95, 70))
HAIRS = (
    (28, 22, 20),
    (58, 38, 26),
    (96, 62, 36),
    (150, 108, 62),
    (196, 164, 110),
    (120, 118, 116),
    (110, 50, 28),
)
IRISES = ((70, 45, 28), (96, 68, 40), (70, 92, 66), (74, 104, 132), (92, 98, 104))


@dataclasses.dataclass(frozen=True)
class Identity:
    """A person in a room: the face's shape and colours, the light, the camera. Colours are RGB in 0..255."""

    width: float
    chin: float
    jaw_taper: float
    jaw_power: float
    skin: tuple[float, float, float]
    hair: tuple[float, float, float]
    hairline: float
    hair_side: float
    bald: bool
    stubble: float
    brow_height: float
    brow_arch: float
    brow_thickness: float
    eye_x: float
    eye_y: float
    eye_half_width: float
    eye_opening: float
    iris: tuple[float, float, float]
    nose_tip: float
    nose_width: float
    mouth_y: float
    mouth_half_width: float
    lip: float
    lip_redness: float
    size: float
    offset: tuple[float, float]
    light: tuple[float, float, float]
    ambient: float
    shirt: tuple[float, float, float]
    room: tuple[float, float, float]
    grain_seed: int
    noise: float


def _pick(rng: np.random.Generator, colours: tuple, spread: float) -> tuple[float, float, float]:
    """A colour between two neighbours of a list, a little off."""
    place = rng.uniform(0, len(colours) - 1)
    low = int(place)
    high = min(low + 1, len(colours) - 1)
    mixed = np.asarray(colours[low]) * (1 - place + low) + np.asarray(colours[high]) * (place - low)
    return _colour(np.clip(mixed + rng.normal(0, spread, 3), 0, 255))


def _colour(values: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _light(rng: np.random.Generator) -> tuple[float, float, float]:
    """A unit vector towards the light: from above, from the left or the right, in front of the face."""
    side, above = np.radians(rng.uniform(-40, 40)), np.radians(rng.uniform(15, 45))
    return _colour(np.asarray([np.sin(side) * np.cos(above), -np.sin(above), np.cos(side) * np.cos(above)]))


def draw_identity(rng: np.random.Generator) -> Identity:
    """Draws a person.

    Args:
        rng: The identity's own generator; the same state gives the same person.

    Returns:
        The person, with every length in face units.
    """
    u = rng.uniform
    return Identity(
        width=u(0.93, 1.05),
        chin=u(1.2, 1.36),
        jaw_taper=u(0.02, 0.22),
        jaw_power=u(2.0, 2.5),
        skin=_pick(rng, SKINS, 4),
        hair=_pick(rng, HAIRS, 6),
        hairline=u(-0.98, -0.84),
        hair_side=u(-0.2, 1.5),
        bald=bool(u() < 0.08),
        stubble=float(u(0.1, 0.35)) if u() < 0.3 else 0.0,
        brow_height=u(0.25, 0.32),
        brow_arch=u(0.02, 0.09),
        brow_thickness=u(0.035, 0.065),
        eye_x=u(0.39, 0.45),
        eye_y=u(-0.2, -0.12),
        eye_half_width=u(0.17, 0.21),
        eye_opening=u(0.075, 0.105),
        iris=_pick(rng, IRISES, 5),
        nose_tip=u(0.34, 0.44),
        nose_width=u(0.1, 0.15),
        mouth_y=u(0.68, 0.76),
        mouth_half_width=u(0.3, 0.4),
        lip=u(0.05, 0.1),
        lip_redness=u(0.15, 0.4),
        size=u(0.95, 1.05),
        offset=(u(-0.12, 0.12), u(-0.06, 0.06)),
        light=_light(rng),
        ambient=u(0.38, 0.52),
        shirt=_colour(u(25, 210, 3)),
        room=_colour(u(50, 200) + u(-25, 25, 3)),
        grain_seed=int(rng.integers(2**31)),
        noise=u(0.8, 1.8),
    )
