"""What calibrated scores say of a face, and of a video with several: evidence, none found, or an abstention.

There is no verdict "real": a detector finds traces of the manipulations that it was validated on, or it
doesn't.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaincinv

from deepfake_tfdata.evaluation.calibration import Calibration

EVIDENCE, NONE_FOUND, ABSTAINED = "evidence_of_manipulation", "no_evidence_found", "abstained"
# Priors that a likelihood ratio is shown at: rare, as in an archive; one in ten; and none preferred.
PRIORS = (0.01, 0.1, 0.5)
# Of SeenFace's motion, grey levels: above photographs that stand still, are panned or shaken, below heads
# that speak (the table in video/README.md). A photograph that is zoomed passes.
MIN_MOTION = 2.5
# By how much a value may be beyond all that was trained on: that is a sample.
_SLACK = 0.1
# A face that is as large as this share of the largest may be the one that matters.
_COMPARABLE = 0.5
# How sure it is that a calibration's own rate of false alarms is below the bound that is told.
_SURE = 0.975

_RANGES = {
    "face_pixels": ("its face is {:.0f} pixels wide", "{:.0f} to {:.0f}"),
    "bits_a_pixel": ("it has {:.3g} bits a pixel", "{:.3g} to {:.3g}"),
    "coverage": ("its face is seen in {:.0%} of the frames", "{:.0%} to {:.0%}"),
    "frame_seconds": ("its frames lie {:.3g} seconds apart", "{:.3g} to {:.3g}"),
}


@dataclass(frozen=True)
class Standard:
    """What verdicts are held to.

    Attributes:
        calibration: None where there is none.
        why_none: then the reason, in words.
        ranges: smallest and largest of what was measured on the videos that the detector was trained on.
        level: the share of real videos that may be accused.
    """

    calibration: Calibration | None
    why_none: str
    ranges: Mapping[str, tuple[float, float]]
    level: float


@dataclass(frozen=True)
class Judgement:
    """Of a face or of a video.

    Attributes:
        verdict: evidence_of_manipulation, no_evidence_found or abstained.
        reasons: why nothing was judged, in words; of a video also which of its faces were not.
        log10_likelihood_ratio: within what the calibration supports; None where nothing was judged.
        p_real, p_fake: how often a real video scores so high, and a fake so low, on average over
            calibrations.
        p_real_high: with this calibration p_real is not above it, with a confidence of 97.5 %.
        num_faces, num_judged: of a video, how many faces it has, and how many of them were judged; of a face
            1, and 1 or 0.
    """

    verdict: str
    reasons: tuple[str, ...] = ()
    log10_likelihood_ratio: float | None = None
    p_real: float | None = None
    p_fake: float | None = None
    p_real_high: float | None = None
    num_faces: int = 1
    num_judged: int = 0

    @property
    def posteriors(self) -> dict[str, float]:
        """The probability of a manipulation by the prior that one holds it to have; empty without a ratio."""
        if self.log10_likelihood_ratio is None:
            return {}
        ratio = 10**self.log10_likelihood_ratio
        odds = {prior: ratio * prior / (1 - prior) for prior in PRIORS}
        return {f"{prior:g}": value / (1 + value) for prior, value in odds.items()}

    @property
    def false_alarms_in_a_thousand(self) -> float | None:
        """How many of a thousand real videos score so high, on average over calibrations."""
        return None if self.p_real is None else 1000 * self.p_real

    def to_dict(self) -> dict[str, Any]:
        """For verdict.json."""
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "log10_likelihood_ratio": self.log10_likelihood_ratio,
            "posteriors": self.posteriors,
            "p_real": self.p_real,
            "p_real_high": self.p_real_high,
            "p_fake": self.p_fake,
            "false_alarms_in_a_thousand": self.false_alarms_in_a_thousand,
        }


@dataclass(frozen=True)
class Measured:
    """What is known of a face before it is judged.

    Attributes:
        logit: of its score; None where it gave no clip.
        values: what the ranges are about, by name; what is not known is left out.
        motion: of the face, grey levels; None where that is not known.
    """

    logit: float | None
    values: Mapping[str, float]
    motion: float | None

    @property
    def width(self) -> float:
        """Pixels; 0 where that is not known."""
        return self.values.get("face_pixels", 0.0)


def judge_faces(faces: Sequence[Measured], standard: Standard) -> list[Judgement]:
    """Judges every face of a video.

    A video with several faces has as many chances of a false alarm. So each face is held to its share of the
    level (Bonferroni), and its p value of a real one is told as it is for the whole video.
    """
    reasons = [_why_not(face, standard) for face in faces]
    number = sum(not each for each in reasons)
    return [
        Judgement(ABSTAINED, tuple(why)) if why else _judged(face, standard, number)
        for face, why in zip(faces, reasons, strict=True)
    ]


def judge_video(
    faces: Sequence[Measured], judgements: Sequence[Judgement], level: float, problems: Sequence[str] = ()
) -> Judgement:
    """The verdict on a video, of those on its faces.

    The likelihood ratio is that of "one of the faces judged is manipulated, each as likely as the others"
    against "none of them is": the mean of theirs. Without evidence in one, a video is only judged if no face
    that may matter is left out: none half as wide as the widest, and none that scores higher than real ones.

    Args:
        faces, judgements: of each.
        level: the share of real videos that may be accused.
        problems: what of the video was not looked at.
    """
    judged = [each for each in judgements if each.verdict != ABSTAINED]
    why = [
        f"face {number}: {reason}" if len(faces) > 1 else reason
        for number, each in enumerate(judgements, 1)
        for reason in each.reasons
    ]
    reasons = tuple(dict.fromkeys([*why, *problems]))
    found = any(each.verdict == EVIDENCE for each in judged)
    verdict = EVIDENCE if found else ABSTAINED if _left_out(faces, judgements, level) else NONE_FOUND
    told = judged or [each for each in judgements if each.log10_likelihood_ratio is not None]
    ratios = [10**each.log10_likelihood_ratio for each in told if each.log10_likelihood_ratio is not None]
    strongest = min(told, key=lambda each: each.p_real or 0.0, default=Judgement(ABSTAINED))
    return Judgement(
        verdict,
        reasons or (("there is no face in it",) if verdict == ABSTAINED else ()),
        float(np.log10(np.mean(ratios))) if ratios else None,
        strongest.p_real,
        strongest.p_fake,
        strongest.p_real_high,
        len(faces),
        len(judged),
    )


def _left_out(faces: Sequence[Measured], judgements: Sequence[Judgement], level: float) -> bool:
    """Whether a face that may matter was not judged, or none at all was."""
    widest = max((face.width for face in faces), default=0.0)
    return not any(each.verdict != ABSTAINED for each in judgements) or any(
        each.verdict == ABSTAINED
        and (face.width >= _COMPARABLE * widest or (each.p_real is not None and each.p_real <= level))
        for face, each in zip(faces, judgements, strict=True)
    )


def _why_not(face: Measured, standard: Standard) -> list[str]:
    """Why a face can't be judged."""
    if face.logit is None:
        return ["its face is found in too few of the frames of every clip"]
    if standard.calibration is None:
        return [standard.why_none]
    reasons = []
    if face.motion is not None and face.motion < MIN_MOTION:
        reasons.append("the picture stands still: the detector judges faces that move")
    for name, (low, high) in standard.ranges.items():
        value = face.values.get(name)
        if value is not None and not low * (1 - _SLACK) <= value <= high * (1 + _SLACK):
            what, between = _RANGES[name]
            reasons.append(f"{what.format(value)}, and the detector was trained on {between.format(low, high)}")
    return reasons


def _judged(face: Measured, standard: Standard, number: int) -> Judgement:
    """The judgement of one of so many faces."""
    assert standard.calibration is not None and face.logit is not None
    calibration, level = standard.calibration, standard.level
    ratio = float(calibration.log10_likelihood_ratio(np.array([face.logit]))[0])
    p_one, p_fake = (float(p[0]) for p in calibration.p_values(np.array([face.logit])))
    p_real, p_high = min(1.0, number * p_one), min(1.0, number * _highest(p_one, calibration))
    smallest = number * calibration.smallest_p()
    why: tuple[str, ...] = ()
    if smallest > level:
        faces = "" if number == 1 else f" for each of {number} faces"
        why = (
            f"the calibration's people are too few{faces}: no score could be as rare among real videos as "
            f"{1000 * level:.0f} in a thousand, only {1000 * smallest:.0f}; calibrate on more people, or allow "
            "more false alarms",
        )
    elif p_real <= level and p_fake <= level:
        why = ("it scores unlike both the real and the fake videos of the calibration",)
    verdict = ABSTAINED if why else EVIDENCE if p_real <= level and ratio > 0 else NONE_FOUND
    return Judgement(verdict, why, ratio, p_real, p_fake, p_high, num_judged=int(not why))


def _highest(p: float, calibration: Calibration) -> float:
    """What the rate of false alarms of one calibration may be where its p value says p on average.

    V. Vovk, Conditional validity of inductive conformal predictors (2012): with n components it has a beta
    distribution with the parameters p (n + 1) and (1 - p) (n + 1).
    """
    size = 1 / calibration.smallest_p()
    return 1.0 if p >= 1 else float(betaincinv(p * size, (1 - p) * size, _SURE))
