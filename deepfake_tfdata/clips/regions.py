"""Facial regions, as boxes relative to the face crop."""

from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.errors import UserError


@dataclass(frozen=True)
class Region:
    """A box in fractions of the face crop: (0, 0) is its top left corner and (1, 1) its bottom right."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """As a share of the face crop's."""
        return (self.right - self.left) * (self.bottom - self.top)

    def boxes(self, faces: np.ndarray) -> np.ndarray:
        """Places the region in face crops.

        Args:
            faces: float [T, 4], (left, top, right, bottom) in pixels.

        Returns:
            float [T, 4] in the same pixels; not clipped to the frame, so that the size stays constant.
        """
        left, top, right, bottom = np.moveaxis(faces, -1, 0)
        width, height = right - left, bottom - top
        corners = (
            left + self.left * width,
            top + self.top * height,
            left + self.right * width,
            top + self.bottom * height,
        )
        return np.stack(corners, axis=-1)


# The experiment's regions: the eyes are the top 35 % of the face crop, the mouth its bottom 35 %. The nose
# and the forehead, which reaches above the crop, are controls of the same area. A square is stretched in
# neither direction. One that holds both eyes is nearly as wide as the face; the largest one on the face with
# neither eyes nor lips fits between their strips. The eyes' square ends where the mouth's strip begins. The
# wide region, twice the face's sides about the middle of the head, holds all that a view shows (see `views`).
REGIONS = {
    region.name: region
    for region in (
        Region("full", 0.0, 0.0, 1.0, 1.0),
        Region("eyes", 0.0, 0.0, 1.0, 0.35),
        Region("mouth", 0.0, 0.65, 1.0, 1.0),
        Region("nose", 0.0, 0.325, 1.0, 0.675),
        Region("forehead", 0.0, -0.15, 1.0, 0.2),
        Region("eyes_square", 0.05, -0.25, 0.95, 0.65),
        Region("mouth_square", 0.15, 0.38, 0.85, 1.08),
        Region("cheek_square", 0.0, 0.35, 0.3, 0.65),
        Region("wide", -0.5, -0.6, 1.5, 1.4),
    )
}
DEFAULT_REGIONS = ("full", "eyes", "mouth")


def region_named(name: str) -> Region:
    """The region of that name; UserError lists the known ones."""
    if name not in REGIONS:
        raise UserError(f"unknown region '{name}'; choose from {', '.join(REGIONS)}")
    return REGIONS[name]
