"""The small drawing tools that the head, its features and the room share."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np


@dataclasses.dataclass(frozen=True)
class Canvas:
    """A grid of points in face units.

    Attributes:
        x: float32 [H, W], to the right.
        y: float32 [H, W], downwards.
        unit: Pixels to a face unit.
    """

    x: np.ndarray
    y: np.ndarray
    unit: float

    def cover(self, inside: np.ndarray) -> np.ndarray:
        """A soft mask, one pixel wide at its edge, of where a distance in face units is positive."""
        return np.clip(inside * self.unit + 0.5, 0, 1)

    def window(self, x: tuple[float, float], y: tuple[float, float]) -> tuple[slice, slice]:
        """The rows and columns between two x and two y, for drawing on a part only."""
        left, top = self.x[0, 0], self.y[0, 0]
        rows = slice(int((y[0] - top) * self.unit), int((y[1] - top) * self.unit) + 1)
        columns = slice(int((x[0] - left) * self.unit), int((x[1] - left) * self.unit) + 1)
        return rows, columns

    def part(self, window: tuple[slice, slice]) -> Canvas:
        """The same grid, cut to a window."""
        return Canvas(self.x[window], self.y[window], self.unit)


def make_canvas(x: tuple[float, float], y: tuple[float, float], unit: float) -> Canvas:
    """A grid from the first to the second x and y, `unit` points to a face unit."""
    across = x[0] + np.arange(round((x[1] - x[0]) * unit), dtype=np.float32) / np.float32(unit)
    down = y[0] + np.arange(round((y[1] - y[0]) * unit), dtype=np.float32) / np.float32(unit)
    grid_x, grid_y = np.meshgrid(across.astype(np.float32), down.astype(np.float32))
    return Canvas(grid_x, grid_y, float(unit))


def blob(canvas: Canvas, centre: tuple[float, float], radius: tuple[float, float]) -> np.ndarray:
    """A Gaussian of height 1, [H, W]; the radius is its standard deviation along x and y."""
    x, y = (canvas.x - centre[0]) / radius[0], (canvas.y - centre[1]) / radius[1]
    return np.exp(-0.5 * (x**2 + y**2))


def texture(rng: np.random.Generator, shape: tuple[int, int], grain: tuple[float, float]) -> np.ndarray:
    """Smooth noise of unit variance, float32 [H, W]; the grain is its size in pixels along x and y."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), sigmaX=max(grain[0], 0.3), sigmaY=max(grain[1], 0.3))
    return (smooth - smooth.mean()) / (smooth.std() + 1e-6)


def paint(image: np.ndarray, mask: np.ndarray, colour: np.ndarray) -> None:
    """Blends a colour, [3] or [H, W, 3], into an image [H, W, 3] in place, by a mask [H, W] of 0..1."""
    image += mask[..., None] * (colour - image)
