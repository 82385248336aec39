"""A study in sentences: the verdict, and what a reader must know of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deepfake_tfdata.evaluation.comparison import Comparison, left_out_notes
from deepfake_tfdata.evaluation.comparison_texts import difference_text, verdict_text
from deepfake_tfdata.evaluation.mrmc import Estimate
from deepfake_tfdata.studies.analysis import ContrastResult
from deepfake_tfdata.studies.cells import Contrast

# What the verdict on the primary comparison of the arms says of dilution.
_DILUTION = {
    "better": "With the pixels of the mouth that a resized whole face loses fakes are told better, as "
    "dilution would have it",
    "worse": "With the pixels of the mouth that a resized whole face loses fakes are told worse than without",
    "equivalent": "The pixels of the mouth that a resized whole face loses make no difference beyond "
    "{margin:g}",
    "inconclusive": "Whether the pixels of the mouth that a resized whole face loses help to tell fakes "
    "stays open",
}


def study_verdict(primary: ContrastResult, on_dilution: bool) -> str:
    """The sentence to remember, without a full stop.

    Args:
        primary: the comparison that decides.
        on_dilution: whether it is that of the mouth with and without the pixels that a whole face loses.
    """
    comparison = primary.comparison
    told = f"{verdict_text(primary.first, primary.second, comparison)}: {difference_text(comparison)}"
    if not on_dilution:
        return told
    return f"{_DILUTION[comparison.verdict].format(margin=comparison.margin)}; {told}"


def study_notes(
    primary: Comparison,
    opened: dict[str, Any],
    folds: int,
    face_sides: np.ndarray,
    input_size: int,
    placebo: Estimate | None = None,
    num_left_out: int = 0,
) -> list[str]:
    """What a reader must know of a study, in plain words.

    Args:
        primary: the comparison that decides.
        opened: when the test split was, and which runs had been scored on it before.
        folds: of the cross-validation; 0 without one.
        face_sides: of the test videos' face crops, pixels; NaN where unknown.
        input_size: side of what the network gets, pixels.
        placebo: the primary comparison among faces no larger than the input, where both cells see the same.
        num_left_out: test videos that not all runs scored.
    """
    notes = [*primary.notes, *left_out_notes(num_left_out)]
    if opened["scored_before"]:
        names = opened["scored_before"]
        notes.append(
            f"{len(names)} run(s), first {names[0]}, had been scored on the test split before all were "
            "trained: whoever saw that could have changed the plan"
        )
    if folds:
        notes.append(
            f"the {folds} folds' detectors share most of their training videos: how much a method varies "
            "with these is only partly in the intervals"
        )
    known = face_sides[~np.isnan(face_sides)]
    if len(known):
        share = float(np.mean(known <= input_size))
        notes.append(
            f"{share:.0%} of the test videos have faces of at most {input_size} pixels, the network's input: "
            "resizing takes nothing from them"
        )
    if placebo:
        low, high = placebo.interval()
        notes.append(
            f"among these both see the same: the difference there is {placebo.value:+.3f} [{low:+.3f}, "
            f"{high:+.3f}]" + ("" if low <= 0 <= high else ", so that something else than resolution differs")
        )
    return notes


def contrast_text(contrast: ContrastResult) -> str:
    """A line on one comparison."""
    comparison = contrast.comparison
    return (
        f"{contrast.kind}: {Contrast(contrast.first, contrast.second).name} {difference_text(comparison)}, "
        f"{comparison.verdict}"
    )


def result_text(verdict: str, contrasts: Sequence[ContrastResult], notes: Sequence[str]) -> str:
    """What the command prints: the verdict, a line a comparison, the notes."""
    return "\n".join(
        [f"verdict: {verdict}", *map(contrast_text, contrasts), *(f"note: {note}" for note in notes)]
    )
