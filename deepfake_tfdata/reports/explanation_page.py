"""The page of a run's explanations: whether they can be believed, and a few to look at."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepfake_tfdata.evaluation.explanation import Example
from deepfake_tfdata.evaluation.explanation_figures import METHODS
from deepfake_tfdata.evaluation.explanation_texts import (
    CAVEATS,
    MEANINGS,
    figure_text,
    headline,
    notes,
    number_text,
)
from deepfake_tfdata.files import write_json, write_text
from deepfake_tfdata.reports.overlays import enlarged, with_map
from deepfake_tfdata.reports.pages import Picture, render
from deepfake_tfdata.reports.plots import Point, Row, curve, forest

RESULT_FILE = "explanation.json"
_EXAMPLE_WIDTH = 320  # pixels
# In the curve's legend.
_SERIES = {
    **METHODS,
    "chance": "chance",
    "centre": "the centre",
    "mean_map": "mean map",
    "random_weights": "random weights",
}
INTERVAL_METHOD = (
    "Intervals (95 %) take the identities that fakes join for what is independent: a mean's sandwich "
    "variance over these, with Student's t. Nothing corrects for the number of figures: of many, one in "
    "twenty differs by luck."
)


def write_explanation(
    folder: Path, result: Mapping[str, Any], examples: Sequence[Example], *, title: str
) -> None:
    """Writes explanation.html and, last, explanation.json.

    Args:
        folder: where to.
        result: plain values, as `ExplainedRun` has them.
        examples: fakes to look at.
        title: of the page.
    """
    values = dict(result)
    page = render(
        "explanation.html",
        title=title,
        lead=headline(values),
        rows=[_cells(key, figure) for key, figure in values["figures"].items()],
        notes=[*(f"{note[:1].upper()}{note[1:]}." for note in notes(values)), INTERVAL_METHOD],
        pictures=_plots(values),
        examples=[_example(each) for each in examples],
        marked=any(each.box is not None for each in examples),
        caveats=CAVEATS,
        facts=_facts(values),
    )
    write_text(folder / "explanation.html", page)
    write_json(folder / RESULT_FILE, values)


def _cells(key: str, figure: Mapping[str, Any]) -> dict[str, Any]:
    name, meaning = MEANINGS[key]
    return {
        "name": name,
        "meaning": meaning,
        "value": figure_text(dict(figure)),
        "clips": f"{figure['num_clips']} of {figure['num_components']}",
        "verdicts": [_short_verdict(each) for each in figure["baselines"].values()] or [figure["verdict"]],
    }


def _short_verdict(baseline: Mapping[str, Any]) -> str:
    """Such as 'more than chance, 0.145: yes'."""
    _, _, short = baseline["verdict"].partition(" more than ")
    words, _, answer = short.partition(": ")
    return f"more than {words}, {number_text(baseline['value'])}: {answer}"


def _plots(result: Mapping[str, Any]) -> list[Picture]:
    drawn = curve(
        {
            _SERIES[name]: [Point(100 * each["area"], each["value"], *_ends(each)) for each in points]
            for name, points in result["curves"].items()
        },
        title="Original pasted",
        x_label="share of the area that is pasted, %",
        y_label="fall of the logit",
        reference=0.0,
        log2_x=True,
    )
    pictures = [
        Picture.of(drawn, "pasted", "How far the logit falls with the share of the area that is pasted")
    ]
    rows = [
        Row(f"{_short(key)}, against {_SERIES[name]}", each["difference"], each["low"], each["high"])
        for key, figure in result["figures"].items()
        for name, each in figure["baselines"].items()
        if key.endswith("_paste")
    ]
    differences = forest(
        rows, title=f"On {result['area']:.0%} of the area", x_label="fall beyond theirs, logit", reference=0.0
    )
    return [*pictures, Picture.of(differences, "differences", "How much more of the logit each map finds")]


def _ends(point: Mapping[str, Any]) -> tuple[float, float]:
    """Of an interval; where there is none, the value itself."""
    if point["low"] is None:
        return point["value"], point["value"]
    return point["low"], point["high"]


def _short(key: str) -> str:
    return METHODS[key.removesuffix("_paste")].removeprefix("class-activation ")


def _example(example: Example) -> dict[str, Any]:
    where = f"{example.clip_id}, {example.region}, frame {example.frame_index}"
    shown = [Picture(f"The crop of {where}", enlarged(example.crop, _EXAMPLE_WIDTH, example.box), "crop")]
    for name, values in example.maps.items():
        picture = enlarged(with_map(example.crop, values), _EXAMPLE_WIDTH, example.box)
        shown.append(Picture(f"The {METHODS[name]} over the crop of {where}", picture, METHODS[name]))
    return {
        "name": where,
        "pictures": shown,
        "note": f"Logit {example.logit:.2f}; it falls by {example.fall:.2f} with the original where the map "
        f"points, by {example.all_pasted:.2f} with all of it.",
    }


def _facts(result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "run": result["run"],
        "split": result["split"],
        "fakes": f"{result['num_clips']}, of {result['num_components']} independent groups of people",
        **{f"data, {name}": value for name, value in result["data"].items()},
    }
