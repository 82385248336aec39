"""Whether an export says of real clips what its run's Keras model says, and the record of it."""

from dataclasses import asdict, dataclass

import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.scoring.applied import ClipOutputs

PARITY_FILE = "parity.json"
# Of a logit: sums in another order, and now and then a resized pixel that lies at a half and is rounded to
# the other side. It moves a probability by a quarter of a thousandth at most.
ABSOLUTE, RELATIVE = 1e-3, 1e-4
# Logits that differ less than this say nothing: an export that always says the same would pass, too.
SMALLEST_SPREAD = 10 * ABSOLUTE


@dataclass(frozen=True)
class ParityClip:
    """What a stored clip must give.

    Attributes:
        file: of its frames, in the export's folder.
        clip_id, label: as in the records; 1 is a fake.
        logit: of the Keras model, in float32.
        exported: the export's own, when it was written.
        attention: [T], of the Keras model; None where the head weighs no frames.
    """

    file: str
    clip_id: str
    label: int
    logit: float
    exported: float
    attention: list[float] | None


@dataclass(frozen=True)
class Parity:
    """What parity.json holds.

    Attributes:
        split: that the clips are of.
        spread: how far apart the Keras model's logits are.
        absolute, relative: a logit may differ by the one, and by the other's share of its size.
        largest_difference: of the logits.
        largest_attention_difference: None where the head weighs no frames.
        precision: that the run was trained in.
        difference_to_precision: how far the Keras model's logits in that precision are from those in float32,
            which are the ones to keep; 0 where that is the precision.
        clips: in order of class.
    """

    split: str
    spread: float
    absolute: float
    relative: float
    largest_difference: float
    largest_attention_difference: float | None
    precision: str
    difference_to_precision: float
    clips: list[ParityClip]


def require_spread(logits: np.ndarray) -> float:
    """How far apart the logits of clips are.

    Raises:
        UserError: so little that an export that computes nothing would pass.
    """
    spread = float(np.ptp(logits))
    if not spread >= SMALLEST_SPREAD:
        raise UserError(
            f"the run's logits of these clips differ by {spread:.2g} only, less than {SMALLEST_SPREAD:g}: "
            "that an export agrees would prove nothing; train it until it tells some clips apart"
        )
    return spread


def require_parity(expected: ClipOutputs, found: ClipOutputs) -> tuple[float, float | None]:
    """The largest differences of logits and of attention.

    Raises:
        UserError: they are larger than allowed, or what was found is no number.
    """
    difference = np.abs(found.logits - expected.logits)
    if not np.all(difference <= ABSOLUTE + RELATIVE * np.abs(expected.logits)):
        worst = int(np.argmax(np.nan_to_num(difference, nan=np.inf)))
        raise UserError(
            f"the export is not the detector: of clip {worst} it says {found.logits[worst]:.4f}, and the "
            f"Keras model {expected.logits[worst]:.4f}; nothing was written"
        )
    if expected.attention is None or found.attention is None:
        return float(difference.max()), None
    of_attention = np.abs(found.attention - expected.attention)
    if not np.all(of_attention <= ABSOLUTE):
        raise UserError("the export is not the detector: its attention differs; nothing was written")
    return float(difference.max()), float(of_attention.max())


def parity_values(parity: Parity) -> dict[str, object]:
    """As plain values, ready for JSON."""
    return asdict(parity)
