"""Verdicts in plain words."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from deepfake_tfdata.verdicts.judgement import ABSTAINED, EVIDENCE, Judgement

VERDICTS = {
    EVIDENCE: "evidence of manipulation",
    "no_evidence_found": "no evidence found",
    ABSTAINED: "abstained",
}
# What no verdict says, whatever it is.
LIMITS = (
    "The detector looks for traces of the manipulations that it was validated on. What another generator "
    "leaves, or a good one does not leave, it may miss: the calibration does not carry over to other "
    "generators (arXiv 2606.29484). So there is no verdict “real”.",
    "The likelihood ratio weighs two propositions against each other. It is no probability of a "
    "manipulation: that depends on what else is known of the video, which the table shows for three priors.",
    "How rare such a score is among real videos holds for real videos like those of the calibration, "
    "whatever made the fake.",
    "Attention says what the head weighed, not where the manipulation is (arXiv 2311.04584); nor does a map.",
)


def headline(judgement: Judgement) -> str:
    """One sentence: the verdict, and what it is worth."""
    where = ""
    if judgement.num_judged < judgement.num_faces:
        where = f" in the faces judged, {judgement.num_judged} of {judgement.num_faces}"
    if judgement.verdict == EVIDENCE:
        return (
            f"Evidence of manipulation{where}: of a thousand real videos like those of the calibration about "
            f"{false_alarms(judgement)} or fewer would score so high."
        )
    if judgement.verdict == ABSTAINED:
        return f"No verdict: {judgement.reasons[0]}."
    return (
        f"No evidence of manipulation found{where}: real videos like those of the calibration score so high "
        f"{_often(judgement)}. That does not make it real."
    )


def verdict_line(name: str, values: Mapping[str, Any]) -> str:
    """What verdict.json holds, for a terminal."""
    text = f"{name}: {VERDICTS[values['verdict']]}"
    if values["verdict"] == ABSTAINED:
        return f"{text}: {values['reasons'][0]}"
    return f"{text}, likelihood ratio {ratio_text(values['log10_likelihood_ratio'])}"


def false_alarms(judgement: Judgement) -> str:
    """How many of a thousand, on average over calibrations; rounded up."""
    value = judgement.false_alarms_in_a_thousand
    return "unknown" if value is None else rounded_up(value)


def most_false_alarms(judgement: Judgement) -> str:
    """How many they may be with this calibration."""
    return "unknown" if judgement.p_real_high is None else rounded_up(1000 * judgement.p_real_high)


def rounded_up(value: float) -> str:
    """A bound stays one; what is a whole number but for rounding is that number."""
    return f"{math.ceil(value - 1e-9)}"


def ratio_text(log10: float | None) -> str:
    """A likelihood ratio, such as '19.5', or '1/19.5' where it speaks against a manipulation.

    To three digits, towards 1: what a calibration supports is not rounded beyond.
    """
    if log10 is None:
        return "unknown"
    ratio = 10 ** (abs(log10) + 1e-12)
    digits = max(0, 2 - math.floor(math.log10(ratio)))
    shown = f"{math.floor(ratio * 10**digits) / 10**digits:g}"
    return shown if log10 >= 0 or shown == "1" else f"1/{shown}"


def ratio_sentence(judgement: Judgement, calibration: Mapping[str, Any]) -> str:
    """What the likelihood ratio says, and how far the calibration bears it."""
    value = judgement.log10_likelihood_ratio
    if value is None:
        return "Nothing was scored that could be calibrated."
    factor = ratio_text(abs(value))
    what = (
        f"What the detector found is {factor} times as probable under the first proposition as under the second"
        if value >= 0
        else f"What the detector found is {factor} times as probable under the second proposition as under the first"
    )
    low, high = calibration["log10_cap"]
    at_cap = value >= high - 1e-9 or value <= low + 1e-9
    base = f"a calibration on {calibration['num_people']} groups of people"
    if at_cap:
        return f"{what}; that is all that {base} can support."
    return f"{what}; {base} supports {ratio_text(low)} to {ratio_text(high)}."


def posterior_rows(judgement: Judgement) -> list[tuple[str, str]]:
    """By prior, the posterior, as percentages."""
    return [(f"{float(prior):.0%}", _percent(value)) for prior, value in judgement.posteriors.items()]


def seconds_text(seconds: float) -> str:
    """Such as '0:03.20'."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:05.2f}"


def faces_text(number: int) -> str:
    """Such as '2 faces'."""
    return f"{number} face{'' if number == 1 else 's'}"


def reasons_of(judgement: Judgement) -> Sequence[str]:
    """Those that the headline does not say."""
    return judgement.reasons[1:] if judgement.verdict == ABSTAINED else judgement.reasons


def _often(judgement: Judgement) -> str:
    value = judgement.false_alarms_in_a_thousand
    if value is None or value >= 1000:
        return "all the time"
    return f"about {false_alarms(judgement)} times in a thousand"


def _percent(value: float) -> str:
    if value < 1e-4 or value > 1 - 1e-4:
        return "below 0.01%" if value < 0.5 else "above 99.99%"
    return f"{value:.1%}" if 0.001 <= value <= 0.999 else f"{value:.2%}"
