"""What a reader of some metrics must know, in plain words."""

from typing import Any

from deepfake_tfdata.evaluation.operating_points import fewest_real

# Between the coverage of two: where more was lost of one method, its rest may be the easier videos.
_UNEVEN = 0.05


def plain_notes(metrics: dict[str, Any], rates: dict[str, float]) -> list[str]:
    """Says which figures mean less than they seem to.

    Args:
        metrics: what `evaluate` found.
        rates: the false positive rates of the figures that have one, by their keys.
    """
    if not metrics["num_real"] or not metrics["num_fake"]:
        only = "fake" if metrics["num_fake"] else "real"
        return [f"every video is {only}; AUC and all that needs both classes are undefined", *_lost(metrics)]
    return [*_one_answer(metrics), *_few_real(metrics, rates), *_lost(metrics)]


def _one_answer(metrics: dict[str, Any]) -> list[str]:
    """Where the accuracy is what one answer for all videos would score."""
    accuracy, share = metrics["accuracy"], metrics["majority_share"]
    (tn, fp), (fn, tp) = metrics["confusion_matrix"]
    if not tn + fn or not fp + tp:
        called = "fake" if fp + tp else "real"
        return [
            f"every video is called {called}: the accuracy, {accuracy:.1%}, is the share of {called} videos "
            "and says nothing else"
        ]
    answer = "real" if metrics["num_real"] > metrics["num_fake"] else "fake"
    if accuracy <= share:
        return [
            f"an accuracy of {accuracy:.1%} is no more than calling every video {answer} scores, {share:.1%}"
        ]
    if metrics["accuracy_low"] <= share:
        return [
            f"an accuracy of {accuracy:.1%} can't be told from calling every video {answer}, which scores "
            f"{share:.1%}"
        ]
    return []


def _few_real(metrics: dict[str, Any], rates: dict[str, float]) -> list[str]:
    needed = {rate: fewest_real(rate) for key, rate in rates.items() if metrics[key] is None}
    if not needed:
        return []
    each = " and ".join(f"{rate:.0%} needs {count}" for rate, count in needed.items())
    return [f"too few real videos, {metrics['num_real']}, for a false positive rate so low: {each}"]


def _lost(metrics: dict[str, Any]) -> list[str]:
    """Where more was lost of one class or method than of another."""
    real = {name: share for name, share in metrics["coverage_by_class"].items() if name == "real"}
    shares = real | {name: values["coverage"] for name, values in metrics["per_manipulation"].items()}
    if max(shares.values()) - min(shares.values()) < _UNEVEN:
        return []
    each = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    return [f"coverage is uneven, {each}: what is lost may be what is hard"]
