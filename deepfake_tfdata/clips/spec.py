"""The specification that decides every byte of a clip, and the hash that names it."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from deepfake_tfdata.clips.regions import REGIONS, Region
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, option

JPEG_QUALITY = 95
# Sides beyond this are no network's input, and a typing error would fill the disk.
MIN_FRAME_SIZE, MAX_FRAME_SIZE = 16, 2048
MAX_FRAMES = 4096
MAX_CLIPS = 64
# Of native crops they decide no byte, only what a detector makes of them unless told otherwise.
_HINTS_OF_NATIVE = ("frame_size", "fit")


@dataclass(frozen=True)
class ClipSpec(Options):
    """A clip: how frames are chosen, faces found, regions cropped and pixels stored.

    Attributes:
        detector_hash: of the model file or the boxes that the detector reads; '' where it reads none.
        regions: the whole table, so that regions can be added to a folder of records later. A clip depends on
            the geometry of its own region only; the hash is of all of them.
        The others are options.
    """

    num_frames: int = option(32, "frames a clip", low=1, high=MAX_FRAMES)
    frame_size: int = option(
        224,
        "side of a resized crop, and of what a detector makes of a native one unless told otherwise, pixels",
        low=MIN_FRAME_SIZE,
        high=MAX_FRAME_SIZE,
    )
    sampling: str = option(
        "linspace",
        "frames spread over the whole shot, or adjacent ones from the middle of its parts",
        choices=("linspace", "consecutive"),
    )
    clips_per_video: int = option(
        1,
        "parts of a shot to take adjacent frames from; a short one gives fewer clips",
        low=1,
        high=MAX_CLIPS,
    )
    shots: str = option(
        "longest",
        "frames of the longest shot only, or of the whole video with all its cuts",
        choices=("longest", "ignore"),
    )
    geometry: str = option(
        "native",
        "crops as they are in the video, resized by the detector; or squares of frame_size",
        choices=("native", "resized"),
    )
    max_side: int = option(
        0, f"longer sides of native crops are reduced to it, {MIN_FRAME_SIZE} or more pixels; 0 reduces none"
    )
    fit: str = option(
        "stretch",
        "how a crop becomes a square: distorted, or with grey bars",
        choices=("stretch", "letterbox"),
    )
    encoding: str = option("raw", "of a frame", choices=("raw", "png", "webp", "jpeg"))
    detector: str = option("haar", "of faces", choices=("haar", "yunet", "boxes"))
    detector_hash: str = ""
    tracking: str = option(
        "smooth",
        "one smoothed track of one size, or a box of its own for every frame",
        choices=("smooth", "per_frame"),
    )
    share_tracks: bool = option(
        False,
        "crop a fake where the face of its original is, if size, length and frame rate agree; decodes the "
        "original again for every fake",
    )
    min_found: float = option(0.5, "share of a clip's frames in which the face must be found", low=0, high=1)
    margin: float = option(0.0, "share of the face box added on every side", low=-0.4, high=2)
    regions: tuple[Region, ...] = tuple(REGIONS.values())

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_side and not MIN_FRAME_SIZE <= self.max_side <= MAX_FRAME_SIZE:
            raise UserError(
                f"--max_side={self.max_side} is out of range; use 0, or {MIN_FRAME_SIZE} to {MAX_FRAME_SIZE}"
            )
        self._check_geometry()
        if self.clips_per_video > 1 and self.sampling != "consecutive":
            raise UserError(
                f"--clips_per_video={self.clips_per_video} needs --sampling=consecutive; "
                f"{self.sampling} spreads one clip over the whole shot"
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
    def deciding(self) -> dict[str, Any]:
        """The fields that decide a clip's bytes, ready for JSON."""
        return {
            name: value
            for name, value in self.to_dict().items()
            if self.geometry != "native" or name not in _HINTS_OF_NATIVE
        }

    @property
    def seen(self) -> dict[str, Any]:
        """The fields that decide what a detector sees at a size of its own choice, ready for JSON."""
        return {**self.deciding, "fit": self.fit}

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that change whenever a clip's bytes would, and with nothing else."""
        canonical = json.dumps(self.deciding, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def require_same_spec(
    expected: dict[str, Any], found: dict[str, Any], expected_name: str, found_name: str
) -> None:
    """Refuses two specs that differ, and shows the fields in which they do side by side.

    Args:
        expected, found: as ClipSpec's deciding or seen gives them.
        expected_name, found_name: what carries each, for the message.

    Raises:
        UserError: they differ.
    """
    shown = differences(expected, found)
    if shown:
        raise UserError(
            f"{expected_name} and {found_name} were made with different clip specs ({shown}); "
            "use the same records, or a new folder"
        )


def differences(expected: dict[str, Any], found: dict[str, Any]) -> str:
    """The fields in which two sets of plain values differ, side by side; '' where they are equal."""
    # Through JSON, so that a tuple equals the list it was read back as.
    expected, found = (json.loads(json.dumps(values)) for values in (expected, found))
    fields = sorted(expected.keys() | found.keys())
    return "; ".join(
        f"{field}: {expected.get(field)} against {found.get(field)}"
        for field in fields
        if expected.get(field) != found.get(field)
    )
