"""One page for the verdicts on many videos, each with a link to its own."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from deepfake_tfdata.files import write_text
from deepfake_tfdata.reports.pages import render
from deepfake_tfdata.storage import AnyPath
from deepfake_tfdata.verdicts import texts
from deepfake_tfdata.verdicts.verdict import PAGE_FILE

INDEX_FILE = "index.html"
# Of verdict.json: the timelines of a thousand videos need not be held.
SHOWN = ("verdict", "reasons", "log10_likelihood_ratio", "false_alarms_in_a_thousand", "max_false_alarms")


def write_verdicts_page(output: AnyPath, verdicts: Mapping[str, Mapping[str, Any]]) -> AnyPath:
    """Writes OUTPUT/index.html.

    Args:
        output: the folder of the videos' folders.
        verdicts: what verdict.json holds, or SHOWN of it, by the video's name; at least one.

    Returns:
        The page.
    """
    counts = Counter(values["verdict"] for values in verdicts.values())
    told = ", ".join(f"{name} {counts[key]}" for key, name in texts.VERDICTS.items() if counts[key])
    page = output / INDEX_FILE
    ordered = sorted(verdicts.items(), key=lambda item: (_evidence(item[1]), item[0]))
    text = render(
        "verdicts.html",
        title=f"Verdicts on {len(verdicts):,} videos",
        lead=f"{told.capitalize()}.",
        rows=[_row(name, values) for name, values in ordered],
        allowed=f"{next(iter(verdicts.values()))['max_false_alarms']:g}",
    )
    write_text(page, text)
    return page


def _evidence(values: Mapping[str, Any]) -> tuple[int, float]:
    """Sorts: what speaks for a manipulation, then the abstentions, then the others."""
    order = list(texts.VERDICTS)
    place = {order[0]: 0, order[1]: 2, order[2]: 1}[values["verdict"]]
    return place, -(values["log10_likelihood_ratio"] or 0.0)


def _row(name: str, values: Mapping[str, Any]) -> dict[str, str]:
    rate = values["false_alarms_in_a_thousand"]
    return {
        "name": name,
        "link": f"{quote(name)}/{PAGE_FILE}",
        "verdict": texts.VERDICTS[values["verdict"]],
        "ratio": texts.ratio_text(values["log10_likelihood_ratio"]),
        "false_alarms": "unknown" if rate is None else texts.rounded_up(rate),
        "reason": "; ".join(values["reasons"]),
    }
