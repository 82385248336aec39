"""The figures of an explanation: what a map finds beside chance and others, with verdicts in plain words."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepfake_tfdata.evaluation.clustered_mean import Mean, clustered_mean
from deepfake_tfdata.evaluation.explanation import AREA, AREAS, Findings

# By their keys, what points; each is judged, then what it is judged against.
METHODS = {"class_activation": "class-activation map", "occlusion": "occlusion"}
BASELINES = {
    "chance": "chance",
    "centre": "the centre",
    "mean_map": "the mean map of other people",
    "random_weights": "the map of randomised weights",
}
CORRELATIONS = {
    "attention_replacement": "attention and what each frame adds",
    "attention_strength": "attention and the planted strength",
    "replacement_strength": "what each frame adds and the planted strength",
}
# A map that depends on what was learned has less in common with one of randomised weights.
SAME_MAP = 0.5
NOTHING = "there is nothing to find"

Figure = dict[str, Any]


def figures_of(findings: Findings) -> dict[str, Figure]:
    """Every figure by its key: value, low, high, baselines, num_clips, num_components and a verdict."""
    units = findings.units
    everything = clustered_mean(findings.all_pasted, units)
    figures = {"all_pasted": _everything(everything)}
    # All of what the original has comes first: where that changes nothing, a part of it is no finding.
    answer = NOTHING if _is_nothing(everything) else None
    at = AREAS.index(AREA)
    for method in METHODS:
        falls = {name: values[:, at] for name, values in findings.falls.items()}
        falls["chance"] = findings.chance[method][:, at]
        figures[f"{method}_paste"] = _against(method, falls, units, "finds", answer=answer)
    figures["random_weights_correlation"] = _randomised(clustered_mean(findings.randomised, units, -1, 1))
    for method in METHODS if findings.pointing else ():
        figures[f"{method}_pointing"] = _against(method, findings.pointing, units, "points at the mark", 0, 1)
    for name, values in findings.correlations.items():
        figures[name] = _correlation(name, clustered_mean(values, units, -1, 1))
    return figures


def curves_of(findings: Findings) -> dict[str, list[Figure]]:
    """How far the logit falls with each of AREAS, by what points; 'chance' is that of the map's shape."""
    series = {**findings.falls, "chance": findings.chance["class_activation"]}
    return {
        name: [
            {"area": area, **_numbers(clustered_mean(values[:, place], findings.units))}
            for place, area in enumerate(AREAS)
        ]
        for name, values in series.items()
    }


def _against(
    method: str,
    values: Mapping[str, np.ndarray],
    units: np.ndarray,
    does: str,
    least: float = -np.inf,
    most: float = np.inf,
    answer: str | None = None,
) -> Figure:
    """One method's figure beside those of all baselines; an answer takes the place of theirs."""
    baselines: dict[str, Figure] = {}
    for name, words in BASELINES.items():
        if name in values:
            difference = clustered_mean(values[method] - values[name], units)
            baselines[name] = {
                "value": clustered_mean(values[name], units).value,
                "difference": difference.value,
                "low": difference.low,
                "high": difference.high,
                "verdict": f"the {METHODS[method]} {does} more than {words}: "
                + (answer or _yes_or_no(difference)),
            }
    found = clustered_mean(values[method], units, least, most)
    return {**_figure(found, baselines["chance"]["verdict"]), "baselines": baselines}


def _everything(fall: Mean) -> Figure:
    verdict = f"the detector tells these fakes from their originals: {_yes_or_no(fall)}"
    return _figure(fall, f"{verdict}; then {NOTHING}" if _is_nothing(fall) else verdict)


def _is_nothing(fall: Mean) -> bool:
    return fall.low is not None and fall.low <= 0


def _randomised(correlation: Mean) -> Figure:
    if correlation.low is None or correlation.high is None:
        answer = "can't be said"
    elif correlation.high < SAME_MAP:
        answer = "yes"
    else:
        answer = "no" if correlation.low > SAME_MAP else "not clear"
    return _figure(correlation, f"the map depends on what the detector learned: {answer}")


def _correlation(name: str, correlation: Mean) -> Figure:
    answer = _yes_or_no(correlation, "no, they go against each other")
    return _figure(correlation, f"{CORRELATIONS[name]} go together: {answer}")


def _figure(mean: Mean, verdict: str) -> Figure:
    return {**_numbers(mean), "baselines": {}, "verdict": verdict}


def _numbers(mean: Mean) -> Figure:
    return {
        "value": mean.value,
        "low": mean.low,
        "high": mean.high,
        "num_clips": mean.num_clips,
        "num_components": mean.num_units,
    }


def _yes_or_no(difference: Mean, below: str = "no, less") -> str:
    """Whether a mean is above zero, as far as its interval tells."""
    if difference.low is None or difference.high is None:
        return "can't be said of fewer than two independent people"
    if difference.low > 0:
        return "yes"
    return below if difference.high < 0 else "not distinguishable"
