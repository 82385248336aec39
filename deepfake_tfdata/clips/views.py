"""Views: which part of the face a detector gets to see of one record of all of it, and how finely.

The arms of an experiment on what is lost differ in their view alone: they share records, clips and batches.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from deepfake_tfdata.clips.regions import REGIONS, Region
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.errors import UserError

_FACE = REGIONS["full"]
# The mouth's square holds the lips as `mouth_square` does, and lies inside the face, so that the full face
# shows all of it; it begins at the lower lids. No square of its size inside the face has neither eyes nor
# lips: the control's lies above the eyes, most of it above the face. The cheek's is the largest one inside.
_PARTS = {
    "mouth": Region("mouth", 0.15, 0.3, 0.85, 1.0),
    "eyes": REGIONS["eyes_square"],
    "control": Region("control", 0.15, -0.58, 0.85, 0.12),
    "cheek": REGIONS["cheek_square"],
}
# With chin, ears and the seam of a face that was put there.
_FACE_AND_SEAM = Region("face and seam", -0.25, -0.25, 1.25, 1.25)


@dataclass(frozen=True)
class View:
    """What a detector gets to see. Regions are shares of the face crop, as those of records are.

    Attributes:
        window: what fills the network's square.
        picture: all that there is; what lies outside of it is grey, and nothing of it is seen.
        hidden: what of it is grey, too, with as much around as a filter reaches; None hides nothing.
        retention: the share of its pixels, per axis, that the picture is reduced to before the window is
            resized; None reduces it to the network's pixels for the whole face.
    """

    window: Region
    picture: Region
    hidden: Region | None = None
    retention: float | None = 1.0

    def share(self, frame_size: int, face_side: Any) -> Any:
        """The retention for sides of what the network gets and of the face crop, in pixels, numbers or
        tensors; above 1 where there is nothing to reduce.
        """
        return frame_size / face_side if self.retention is None else self.retention


def _views() -> dict[str, View]:
    views = {"whole": View(_FACE, _FACE)}
    for name, part in _PARTS.items():
        picture = _joined(_FACE, part)
        views[name] = View(part, picture)
        views[f"{name}_reduced"] = View(part, picture, retention=None)
        views[f"{name}_only"] = View(_FACE, _shared(part, _FACE))
    around = REGIONS["wide"]
    return {**views, "background": View(around, around, hidden=_FACE_AND_SEAM)}


def _joined(first: Region, second: Region) -> Region:
    """The smallest box that holds both, under the name of the first."""
    return Region(
        first.name,
        min(first.left, second.left),
        min(first.top, second.top),
        max(first.right, second.right),
        max(first.bottom, second.bottom),
    )


def _shared(first: Region, second: Region) -> Region:
    """What lies in both, under the name of the first."""
    return Region(
        first.name,
        max(first.left, second.left),
        max(first.top, second.top),
        min(first.right, second.right),
        min(first.bottom, second.bottom),
    )


VIEWS = _views()


def view_named(name: str) -> View:
    """The view of that name: of VIEWS, or a part at a fixed retention, such as 'mouth@0.35'.

    Raises:
        UserError: there is none, or the retention is out of range.
    """
    base, at, share = name.partition("@")
    if not at and name in VIEWS:
        return VIEWS[name]
    if not at or base not in _PARTS:
        raise UserError(
            f"--view={name} is unknown; choose from {', '.join(VIEWS)}, or a retention such as mouth@0.35"
        )
    try:
        retention = float(share)
    except ValueError:
        retention = 0.0
    if not 0 < retention <= 1:
        raise UserError(f"--view={name} has no retention; use more than 0 and up to 1, such as {base}@0.35")
    return View(VIEWS[base].window, VIEWS[base].picture, retention=retention)


def require_view(name: str, regions: Iterable[str], spec: ClipSpec) -> None:
    """Refuses a view that the records of some regions don't hold; '' is everything, and in all of them.

    Raises:
        UserError: as view_in.
    """
    for region in regions if name else ():
        view_in(region, name, spec)


def view_in(region: str, name: str, spec: ClipSpec) -> tuple[View, Region]:
    """A view and the region whose records it is seen in.

    Args:
        region: of the records.
        name: of the view; not ''.
        spec: of the records.

    Raises:
        UserError: there is no such view, or the records don't hold what it looks at.
    """
    view = view_named(name)
    if spec.geometry != "native":
        raise UserError(f"--view={name} needs native records, not --geometry={spec.geometry}; convert again")
    if spec.fit != "stretch":
        raise UserError(f"--view={name} fills the square; it needs records of --fit=stretch")
    table = {each.name: each for each in spec.regions}
    holding = [each for each in table if _holds(table[each], view)]
    if region not in holding:
        raise UserError(
            f"--view={name} looks at more of the face than --region={region} holds; "
            f"use --region={' or '.join(holding)}"
            if holding
            else f"--view={name} looks at more of the face than these records can hold; convert again"
        )
    return view, table[region]


def _holds(region: Region, view: View) -> bool:
    return _joined(region, _joined(view.window, view.picture)) == region


@dataclass(frozen=True)
class Sight:
    """How finely a view shows what it shows, horizontally and vertically.

    Attributes:
        magnification: network pixels per source pixel, above 1 where it is enlarged.
        reduction: the share of the source's pixels, at most 1, that is left before the window is resized.
        pixels: how many pixels with information of their own reach the network.
    """

    magnification: tuple[float, float]
    reduction: float
    pixels: float

    @property
    def density(self) -> tuple[float, float]:
        """Network pixels with information of their own per source pixel; below 1 detail is lost, and above 1
        pixels are enlarged.
        """
        horizontal, vertical = self.magnification
        if self.reduction == 1:
            return horizontal, vertical
        return min(self.reduction, horizontal), min(self.reduction, vertical)


def sight(view: View, region: Region, face_size: float, spec: ClipSpec) -> Sight:
    """What a network sees of a face.

    Args:
        view: what it looks at.
        region: of the records; the longer side of its crops may be stored reduced.
        face_size: side of the face box in the source, pixels.
        spec: margin, fit, what is stored, and the network's frame_size.
    """
    face = face_size * (1 + 2 * spec.margin)
    stored = min(1.0, spec.max_side / (face * max(_sides(region)))) if spec.max_side else 1.0
    reduction = stored * min(1.0, view.share(spec.frame_size, face * stored))
    longest = max(_sides(view.window))
    width, height = (longest, longest) if spec.fit == "letterbox" else _sides(view.window)
    magnification = spec.frame_size / (width * face), spec.frame_size / (height * face)
    shown = _shared(view.window, view.picture)
    shares = [min(1.0, reduction, each) for each in magnification]
    area = shown.area - (_shared(shown, view.hidden).area if view.hidden else 0.0)
    return Sight(magnification, reduction, area * face**2 * shares[0] * shares[1])


def _sides(region: Region) -> tuple[float, float]:
    """Width and height, in sides of the face crop."""
    return region.right - region.left, region.bottom - region.top
