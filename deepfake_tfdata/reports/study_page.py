"""The page of a study: the verdict first, then where a difference comes from, then every figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepfake_tfdata.evaluation.comparison_texts import p_text
from deepfake_tfdata.files import write_bytes, write_json, write_text
from deepfake_tfdata.reports.comparison_page import DIFFERENCE_METHOD
from deepfake_tfdata.reports.pages import Picture, render
from deepfake_tfdata.reports.plots import Plot, Point, Row, curve, forest

RESULT_FILE = "study.json"
_STEPS = {
    "information": "what pixels of the mouth that the whole face loses add",
    "magnification": "what showing the mouth larger adds, without a pixel more",
    "context": "what hiding the rest of the face does",
    "all together": "the square mouth against the whole face: the sum",
}
_KINDS = {
    "primary": "fixed before anything was trained; the one that decides",
    "secondary": "fixed as well; their p values are adjusted together (Holm)",
    "exploratory": "of many such, one in twenty differs by luck",
}


def write_study(folder: Path, result: Mapping[str, Any]) -> None:
    """Writes figures/, study.html and, last, study.json.

    Args:
        folder: of the study.
        result: plain values, as `StudyResult` names them.
    """
    plots = _plots(result)
    for name, (plot, _) in plots.items():
        write_bytes(folder / "figures" / f"{name}.png", plot.png)
        write_bytes(folder / "figures" / f"{name}.svg", plot.svg)
        write_text(folder / "figures" / f"{name}.csv", plot.numbers)
    pictures = {name: Picture.of(plot, name, alt) for name, (plot, alt) in plots.items()}
    plan = result["plan"]
    page = render(
        "study.html",
        title=f"Study on {plan['data']['name']}",
        lead=f"{result['verdict']}.",
        notes=result["notes"],
        pictures=pictures,
        robustness=[picture for name, picture in pictures.items() if name.startswith("robustness")],
        comparisons=[_comparison_cells(each) for each in result["comparisons"]],
        kinds=_KINDS,
        steps=[{**step, "meaning": _STEPS[step["step"]]} for step in result["decomposition"]],
        cells=result["cells"],
        transfer=result["transfer"],
        nuisances=result["nuisances"],
        method=DIFFERENCE_METHOD,
        facts=_facts(plan, result["opened"]),
    )
    write_text(folder / "study.html", page)
    write_json(folder / RESULT_FILE, result)


def _plots(result: Mapping[str, Any]) -> dict[str, tuple[Plot, str]]:
    """By the name of its files, each plot and what it shows in words."""
    short = _short_names([cell["name"] for cell in result["cells"]])
    plots = {"comparisons": _comparisons(result, short), "cells": _cells(result, short)}
    if result["decomposition"]:
        plots["decomposition"] = _decomposition(result)
    if result["curve"]:
        plots["curve"] = _curve(result)
    if any(dose["value"] is not None for dose in result["dose"]):
        plots["dose"] = _dose(result)
    return plots | _robustness(result, short)


def _comparisons(result: Mapping[str, Any], short: Mapping[str, str]) -> tuple[Plot, str]:
    told = [each for each in result["comparisons"] if each["kind"] != "exploratory"]
    rows = [
        _row(
            f"{short[each['first']]} : {short[each['second']]}",
            each,
            "difference",
            f"{each['kind']}, {each['verdict']}",
        )
        for each in told
    ]
    plot = _differences("Differences of AUC", rows, result)
    return plot, "The primary and secondary comparisons: differences of AUC with their intervals"


def _cells(result: Mapping[str, Any], short: Mapping[str, str]) -> tuple[Plot, str]:
    plot = forest(
        [_row(short[cell["name"]], cell, "auc") for cell in result["cells"]],
        title="AUC of every detector",
        x_label="AUC, mean over runs, 95 % interval",
        reference=0.5,
    )
    return plot, "The AUC of every kind of detector with its interval"


def _decomposition(result: Mapping[str, Any]) -> tuple[Plot, str]:
    rows = [_row(step["step"], step, "value", _STEPS[step["step"]]) for step in result["decomposition"]]
    plot = _differences("Where the difference comes from", rows, result)
    return plot, "The steps between the whole face and the square mouth, each with its interval"


def _curve(result: Mapping[str, Any]) -> tuple[Plot, str]:
    points = [Point(p["retention"], p["auc"], p["auc_low"], p["auc_high"]) for p in result["curve"]]
    plot = curve(
        {"square mouth": points},
        title="AUC by retained resolution",
        x_label="share of the mouth's pixels that is kept, per axis",
        y_label="AUC",
        reference=0.5,
    )
    return plot, "The AUC of the square mouth over the share of its pixels that it is reduced to"


def _dose(result: Mapping[str, Any]) -> tuple[Plot, str]:
    known = [dose for dose in result["dose"] if dose["value"] is not None]
    rows = [_row(_sizes(dose), dose, "value", f"{dose['num_videos']} videos") for dose in known]
    plot = _differences("The primary comparison by the size of faces", rows, result)
    return plot, "The primary comparison among videos of small, middle and large faces"


def _differences(title: str, rows: Sequence[Row], result: Mapping[str, Any]) -> Plot:
    return forest(
        rows,
        title=title,
        x_label="difference of AUC, 95 % interval",
        reference=0,
        margin=result["plan"]["margin"],
    )


def _short_names(names: Sequence[str]) -> dict[str, str]:
    """What a figure calls each cell: without the head, and the records, that all have in common."""
    parts = {name: name.rpartition("/") for name in names}
    if len({head for _, _, head in parts.values()}) > 1:
        return {name: name for name in names}
    seen = {name: region for name, (region, _, _) in parts.items()}
    records = {region.partition(".")[0] for region in seen.values()}
    if len(records) == 1 and all("." in region for region in seen.values()):
        return {name: region.partition(".")[2] for name, region in seen.items()}
    return seen


def _robustness(result: Mapping[str, Any], short: Mapping[str, str]) -> dict[str, tuple[Plot, str]]:
    """A curve by kind of corruption, of both cells of the primary comparison."""
    kinds: dict[tuple[str, str], dict[str, list[Point]]] = {}
    for row in result["robustness"]:
        series = kinds.setdefault((row["corruption"], row["unit"]), {})
        points = series.setdefault(short[row["name"]], [])
        points.append(Point(row["strength"], row["auc"], row["auc_low"], row["auc_high"]))
    return {
        f"robustness-{kind}": (
            curve(series, title=f"Under {kind}", x_label=unit, y_label="AUC", reference=0.5),
            f"The AUC of both detectors under {kind} of several strengths",
        )
        for (kind, unit), series in kinds.items()
    }


def _row(name: str, values: Mapping[str, Any], key: str, note: str = "") -> Row:
    prefix = "auc_" if key == "auc" else ""
    return Row(name, values[key], values[f"{prefix}low"], values[f"{prefix}high"], note)


def _sizes(dose: Mapping[str, Any]) -> str:
    if not dose["face_above"]:
        return f"faces up to {dose['face_up_to']:.0f} pixels"
    return f"faces of {dose['face_above']:.0f} to {dose['face_up_to']:.0f} pixels"


def _comparison_cells(each: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **each,
        "text": f"{each['difference']:+.3f} [{each['low']:+.3f}, {each['high']:+.3f}]",
        "p": p_text(each["p"]),
        "detectable": f"{each['smallest_detectable']:.3f}",
    }


def _facts(plan: Mapping[str, Any], opened: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "plan": plan["hash"],
        "test split opened": opened["time"],
        "runs of each detector": plan["seeds"],
        "folds": plan["folds"] or "none: the records' own splits",
        "margin": plan["margin"],
        "data": f"{plan['data']['name']} ({plan['data']['identity']})",
        **{f"training, {name}": value for name, value in plan["training"].items() if value not in ("", None)},
    }
