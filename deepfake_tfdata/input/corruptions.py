"""Corruptions at a fixed strength: which there are, for measuring how a trained detector bears them."""

from dataclasses import dataclass
from typing import TypeAlias

from deepfake_tfdata.errors import UserError

# A name of CORRUPTIONS and a strength.
Corruption: TypeAlias = tuple[str, float]


@dataclass(frozen=True)
class Strengths:
    """How strong a corruption may be.

    Attributes:
        unit: of the strength.
        low, high: the range, ends included.
        standard: the strengths that reports have, the mildest first.
        neutral: the one that changes nothing; None where there is none.
    """

    unit: str
    low: float
    high: float
    standard: tuple[float, ...]
    neutral: float | None = None


CORRUPTIONS = {
    # FaceForensics++ (arXiv 1901.08971) has 23 and 40.
    "codec": Strengths("H.264 quantiser", 0, 51, (23, 32, 40)),
    "blur": Strengths("standard deviation, pixels of the source", 0, 20, (0.5, 1, 2, 4), 0),
    "noise": Strengths("standard deviation, grey levels", 0, 100, (2, 5, 10, 20), 0),
    "resize": Strengths("share of the sides, down to it and back", 0.05, 1, (0.75, 0.5, 0.25), 1),
    "frame_drop": Strengths("share of the frames that repeat the one before", 0, 0.95, (0.1, 0.25, 0.5), 0),
}


def parse_corruption(text: str) -> Corruption | None:
    """The corruption that a text such as 'codec:40' names; None for ''.

    Raises:
        UserError: there is none of that name, or its strength is out of range.
    """
    if not text:
        return None
    name, _, strength = text.partition(":")
    try:
        corruption = name, float(strength)
    except ValueError:
        corruption = name, float("nan")
    require_corruption(corruption, text)
    return corruption


def require_corruption(corruption: Corruption, text: str = "") -> None:
    """Refuses what is no corruption.

    Args:
        corruption: to be checked.
        text: as a person gave it.

    Raises:
        UserError: there is none of that name, or its strength is out of range.
    """
    name, strength = corruption
    given = f"--corruption={text or corruption_text(corruption)}"
    if name not in CORRUPTIONS:
        raise UserError(f"{given} is unknown; choose from {', '.join(CORRUPTIONS)}, as in codec:40")
    known = CORRUPTIONS[name]
    if not known.low <= strength <= known.high:
        raise UserError(
            f"{given} has no strength ({known.unit}); use {known.low:g} to {known.high:g}, as in "
            f"{name}:{known.standard[-1]:g}"
        )


def corruption_text(corruption: Corruption) -> str:
    """Such as 'codec:40'."""
    name, strength = corruption
    return f"{name}:{strength:g}"
