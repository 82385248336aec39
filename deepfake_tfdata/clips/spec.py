"""The specification that decides every byte of a clip, and the hash that names it."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from deepfake_tfdata.clips.regions import REGIONS, Region
from deepfake_tfdata.errors import UserError

CHOICES = {
    "sampling": ("linspace", "consecutive"),
    "geometry": ("native", "resized"),
    "fit": ("stretch", "letterbox"),
    "encoding": ("raw", "png", "webp", "jpeg"),
    "detector": ("haar", "yunet", "boxes"),
    "tracking": ("smooth", "per_frame"),
}
JPEG_QUALITY = 95
# Sides beyond this are no network's input, and a typing error would fill the disk.
MAX_FRAME_SIZE = 2048
MAX_FRAMES = 4096
MAX_CLIPS = 64


@dataclass(frozen=True)
class ClipSpec:
    """How frames are chosen, faces found, regions cropped and pixels stored.

    Attributes:
        num_frames: frames a clip, T.
        clips_per_video: at most; more than one only with consecutive sampling.
        geometry: 'native' stores a crop as it is in the video, one size a clip; 'resized' stores frame_size
            squares.
        frame_size: side of a resized crop; of what a detector makes of a native one unless told otherwise.
        max_side: longer sides of native crops are reduced to it, with the shape kept; 0 leaves all as they
            are.
        detector_hash: of the model file or the boxes that the detector reads; '' where it reads none.
        min_found: share of a clip's frames in which the face must be found.
        margin: how much the face box grows on every side, as a fraction of its width and height.
        share_tracks: whether a fake takes the face track of its original where the two files agree.
        regions: the whole table, so that regions can be added to a folder of records later. A clip depends on
            the geometry of its own region only; the hash is of all of them.
        The others are names out of CHOICES.
    """

    num_frames: int = 32
    frame_size: int = 224
    sampling: str = "linspace"
    clips_per_video: int = 1
    geometry: str = "native"
    max_side: int = 0
    fit: str = "stretch"
    encoding: str = "raw"
    detector: str = "haar"
    detector_hash: str = ""
    tracking: str = "smooth"
    share_tracks: bool = False
    min_found: float = 0.5
    margin: float = 0.0
    regions: tuple[Region, ...] = tuple(REGIONS.values())

    def __post_init__(self) -> None:
        for field, allowed in CHOICES.items():
            value = getattr(self, field)
            if value not in allowed:
                raise UserError(f"--{field}={value} is unknown; choose from {', '.join(allowed)}")
        _check_range("num_frames", self.num_frames, 1, MAX_FRAMES)
        _check_range("clips_per_video", self.clips_per_video, 1, MAX_CLIPS)
        _check_range("frame_size", self.frame_size, 16, MAX_FRAME_SIZE)
        _check_range("min_found", self.min_found, 0.0, 1.0)
        _check_range("margin", self.margin, -0.4, 2.0)
        if self.max_side:
            _check_range("max_side", self.max_side, 16, MAX_FRAME_SIZE)
        self._check_geometry()
        if self.clips_per_video > 1 and self.sampling != "consecutive":
            raise UserError(
                f"--clips_per_video={self.clips_per_video} needs --sampling=consecutive; "
                f"{self.sampling} spreads one clip over the whole video"
            )

    def _check_geometry(self) -> None:
        if self.geometry == "resized":
            if self.max_side:
                raise UserError(
                    f"--max_side={self.max_side} is for --geometry=native; --frame_size decides here"
                )
        elif self.encoding == "jpeg":
            raise UserError(
                "--encoding=jpeg loses what --geometry=native keeps; use raw, png or webp, or add "
                "--geometry=resized"
            )
        elif self.tracking == "per_frame":
            raise UserError(
                "--tracking=per_frame gives every frame a size of its own; add --geometry=resized, which "
                "makes them equal"
            )

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
