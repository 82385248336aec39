"""A comparison in plain words and plain values."""

from typing import Any

from deepfake_tfdata.evaluation.comparison import Comparison
from deepfake_tfdata.evaluation.mrmc import Estimate
from deepfake_tfdata.evaluation.texts import aligned

MEANING = {
    "better": "{first} is better than {second}",
    "worse": "{first} is worse than {second}",
    "equivalent": "{first} and {second} are equivalent within {margin:g}",
    "inconclusive": "{first} and {second} can't be told apart, nor be called equivalent within {margin:g}",
}


def comparison_text(first: str, second: str, data: tuple[str, str], comparison: Comparison) -> str:
    """A table of both methods, the difference, the verdict and what a reader must know of it.

    Args:
        first, second: the methods' names.
        data: on which each was scored.
        comparison: of the two.

    Returns:
        Lines without a trailing newline.
    """
    rows = (
        (second, data[1], comparison.second, comparison.second_runs),
        (first, data[0], comparison.first, comparison.first_runs),
    )
    table = aligned(
        ("method", "data", "AUC [95 %]", "of each run"),
        [(name, where, estimate_text(auc), runs_text(runs)) for name, where, auc, runs in rows],
    )
    lines = [
        f"difference {difference_text(comparison)}",
        f"verdict: {verdict_text(first, second, comparison)}",
        basis_text(comparison),
        *(f"note: {note}" for note in comparison.notes),
    ]
    return "\n".join([table, *lines])


def verdict_text(first: str, second: str, comparison: Comparison) -> str:
    """The verdict as a sentence without a full stop."""
    return MEANING[comparison.verdict].format(first=first, second=second, margin=comparison.margin)


def difference_text(comparison: Comparison) -> str:
    """Such as '+0.043 [+0.012, +0.074], p = 0.008'."""
    low, high = comparison.difference.interval()
    return f"{comparison.difference.value:+.3f} [{low:+.3f}, {high:+.3f}], {p_text(comparison.p)}"


def basis_text(comparison: Comparison) -> str:
    """How much the comparison rests on, and what it could have shown."""
    unit = "identities" if comparison.by_identity else "independent groups of identities"
    return (
        f"{comparison.seeds} run(s) each on {comparison.num_videos} videos of {comparison.num_clusters} "
        f"{unit}; a true difference of {comparison.difference.smallest_detectable:.3f} would be found in 80 "
        "% of such studies"
    )


def p_text(p: float) -> str:
    """Such as 'p = 0.031'; 'p < 0.001' below."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def estimate_text(estimate: Estimate) -> str:
    """Such as '0.970 [0.930, 0.990]'."""
    low, high = estimate.interval()
    return f"{estimate.value:.3f} [{low:.3f}, {high:.3f}]"


def runs_text(values: tuple[float, ...]) -> str:
    """The AUC of each run."""
    return " ".join(f"{value:.3f}" for value in values)


def comparison_values(comparison: Comparison) -> dict[str, Any]:
    """What a JSON file holds of a comparison."""
    difference = comparison.difference
    low, high = difference.interval()
    return {
        **_auc_values("auc_first", comparison.first),
        **_auc_values("auc_second", comparison.second),
        "runs_first": list(comparison.first_runs),
        "runs_second": list(comparison.second_runs),
        "difference": difference.value,
        "low": low,
        "high": high,
        "se": difference.se,
        "df": difference.df,
        "p": comparison.p,
        "verdict": comparison.verdict,
        "margin": comparison.margin,
        "smallest_detectable": difference.smallest_detectable,
        "seeds": comparison.seeds,
        "num_videos": comparison.num_videos,
        "num_left_out": comparison.num_left_out,
        "num_clusters": comparison.num_clusters,
        "by_identity": comparison.by_identity,
        "notes": comparison.notes,
    }


def _auc_values(key: str, estimate: Estimate) -> dict[str, float]:
    low, high = estimate.interval()
    return {key: estimate.value, f"{key}_low": low, f"{key}_high": high}
