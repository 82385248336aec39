"""The figures of an explanation in words: what each is, and what it does not mean."""

from typing import Any

from deepfake_tfdata.evaluation.explanation import AREA, CHANCE_DRAWS
from deepfake_tfdata.evaluation.explanation_figures import BASELINES, METHODS, NOTHING
from deepfake_tfdata.evaluation.texts import aligned

# By their keys, the figures' names and what they are.
MEANINGS: dict[str, tuple[str, str]] = {
    "all_pasted": (
        "All of the original pasted",
        "by how much the logit falls when the fake gets all of its original's pixels: what there is to find",
    ),
    **{
        f"{method}_paste": (
            f"Original pasted where the {words} points",
            f"by how much the logit falls with the original on {AREA:.0%} of the area, the most important of "
            "each frame",
        )
        for method, words in METHODS.items()
    },
    "random_weights_correlation": (
        "Map against one of randomised weights",
        "rank correlation of all places of a clip; a map that stays the same shows the picture, not the "
        "detector",
    ),
    **{
        f"{method}_pointing": (
            f"Highest place of the {words} in the planted mark",
            "share of frames; chance is the mark's share of the area",
        )
        for method, words in METHODS.items()
    },
    "attention_replacement": (
        "Attention and what each frame adds",
        "rank correlation over the frames of a clip; a frame adds what the logit falls by when its neighbour "
        "takes its place",
    ),
    "attention_strength": (
        "Attention and the planted strength",
        "rank correlation over the frames of a clip",
    ),
    "replacement_strength": (
        "What each frame adds and the planted strength",
        "rank correlation over the frames of a clip",
    ),
}

CAVEATS = (
    "A map says what the detector goes by, and not what was manipulated: a detector may go by anything that "
    "gives fakes away, such as a seam or a codec.",
    "Pasting leaves pictures that could be, but for an edge around what is pasted. A detector that reacts to "
    "that edge falls less, or rises.",
    f"Chance moves the map's shape to {CHANCE_DRAWS} random places, the same in all frames, out on one side "
    "and in on the other. The centre is what points at the middle of every square; the mean map is that of "
    "other people's clips and knows nothing of this one.",
    "Attention is not localisation: it says how the head weighs frames, and a frame that it hardly weighs "
    "may matter. In images, too, other ways localise better (Tantaru and others, arXiv 2311.04584). Only its "
    "correlations above say whether it can be read as evidence here.",
    "Verdicts hold for fakes of this split, made as these were.",
)


def headline(result: dict[str, Any]) -> str:
    """One sentence: whether there is something to find, and whether the map finds more than chance."""
    figures = result["figures"]
    if figures["all_pasted"]["verdict"].endswith(NOTHING):
        return f"{_capital(figures['all_pasted']['verdict'])}."
    return f"{_capital(figures['class_activation_paste']['verdict'])}."


def explanation_text(title: str, result: dict[str, Any]) -> str:
    """All figures as a table, and under it their verdicts; lines without a trailing newline."""
    figures = result["figures"]
    header = ("figure", "value [95 %]", *BASELINES, "clips")
    rows = [
        (
            MEANINGS[key][0],
            figure_text(figure),
            *(number_text(figure["baselines"].get(name, {}).get("value")) for name in BASELINES),
            str(figure["num_clips"]),
        )
        for key, figure in figures.items()
    ]
    verdicts = dict.fromkeys(figure["verdict"] for figure in figures.values())
    return "\n".join([title, aligned(header, rows), *verdicts, *(f"note: {each}" for each in notes(result))])


def notes(result: dict[str, Any]) -> list[str]:
    """What must be known of the figures, in plain words."""
    found = []
    if result["without_original"]:
        found.append(f"{result['without_original']} fakes have no original in the split and are left out")
    if result["not_aligned"]:
        found.append(f"{result['not_aligned']} fakes show other frames than their originals and are left out")
    rows, columns = result["places"]
    found.append(
        f"the map has {rows} x {columns} places: it can't point at anything smaller than one of them"
        if rows * columns > 1
        else "the map has one place: it says which frames matter, and not where in them"
    )
    return found


def figure_text(figure: dict[str, Any]) -> str:
    """Such as '0.970 [0.930, 0.990]'."""
    if figure["low"] is None:
        return number_text(figure["value"])
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def number_text(value: float | None) -> str:
    """Such as '0.970'; '' of nothing."""
    return "" if value is None else f"{value:.3f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
