"""The specification that decides every byte of a clip, and the hash that names it."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from deepfake_tfdata.clips.regions import REGIONS, Region
from deepfake_tfdata.errors import UserError

CHOICES = {
    "sampling": ("linspace",),
    "geometry": ("resized",),
    "encoding": ("jpeg", "png"),
    "detector": ("haar",),
    "tracking": ("smooth", "per_frame"),
}
JPEG_QUALITY = 95
# Sides beyond this are no network's input, and a typing error would fill the disk.
MAX_FRAME_SIZE = 2048
MAX_FRAMES = 4096


@dataclass(frozen=True)
class ClipSpec:
    """How frames are chosen, faces found, regions cropped and pixels stored.

    Attributes:
        num_frames: frames a clip, T.
        frame_size: side of a stored crop, pixels.
        margin: how much the face box grows on every side, as a fraction of its width and height.
        regions: the table of regions; its geometry is part of the hash.
        The others are names out of CHOICES.
    """

    num_frames: int = 32
    frame_size: int = 224
    sampling: str = "linspace"
    geometry: str = "resized"
    encoding: str = "jpeg"
    detector: str = "haar"
    tracking: str = "smooth"
    margin: float = 0.0
    regions: tuple[Region, ...] = tuple(REGIONS.values())

    def __post_init__(self) -> None:
        for field, allowed in CHOICES.items():
            value = getattr(self, field)
            if value not in allowed:
                raise UserError(f"--{field}={value} is unknown; choose from {', '.join(allowed)}")
        _check_range("num_frames", self.num_frames, 1, MAX_FRAMES)
        _check_range("frame_size", self.frame_size, 16, MAX_FRAME_SIZE)
        _check_range("margin", self.margin, -0.4, 2.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ClipSpec":
        """Reads what to_dict wrote."""
        regions = tuple(Region(**region) for region in values["regions"])
        return cls(**{**values, "regions": regions})

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that change whenever a clip's bytes would."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def require_same_spec(
    expected: dict[str, Any], found: dict[str, Any], expected_name: str, found_name: str
) -> None:
    """Refuses two specs that differ, and shows the fields in which they do side by side.

    Args:
        expected, found: specs as ClipSpec.to_dict gives them.
        expected_name, found_name: what carries each, for the message.

    Raises:
        UserError: they differ.
    """
    # Through JSON, so that a tuple equals the list it was read back as.
    expected, found = (json.loads(json.dumps(spec)) for spec in (expected, found))
    fields = sorted(expected.keys() | found.keys())
    differing = [field for field in fields if expected.get(field) != found.get(field)]
    if differing:
        shown = "; ".join(f"{field}: {expected.get(field)} against {found.get(field)}" for field in differing)
        raise UserError(
            f"{expected_name} and {found_name} were made with different clip specs ({shown}); "
            "use the same records, or a new folder"
        )


def _check_range(field: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UserError(f"--{field}={value} is out of range; use {low} to {high}")
