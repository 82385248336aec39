"""Whether what is not face gives the label away: the strongest of all tests for shortcuts.

Whatever a manipulation does, it does to faces. A detector that is shown only what is around them and still
tells fakes from originals has found something else: another camera, another compression, another cut.
"""

from collections.abc import Mapping
from typing import Any

from deepfake_tfdata.audits.finding import FAIL, INFO, Finding

REGION, VIEW = "wide", "background"
# What nobody would call guessing; as for other shortcuts.
_TELLING = 0.6
# Faint traces are learned late: in drawn videos after some hundred steps, and then all at once.
_EPOCHS, _MOST_EPOCHS, _STEPS = 15, 60, 1000


def background_epochs(num_clips: int, batch_size: int) -> int:
    """How long the detector of backgrounds is trained: 15 epochs, and up to 60 for as many as 1,000 steps.

    Args:
        num_clips: that it is trained on.
        batch_size: of a step.
    """
    steps = max(1, num_clips // batch_size)
    return max(_EPOCHS, min(_MOST_EPOCHS, -(-_STEPS // steps)))


def background_finding(metrics: Mapping[str, Any]) -> Finding:
    """What a detector of backgrounds says of the data.

    Args:
        metrics: of its evaluation, on people that it was not trained on.
    """
    evidence = {key: metrics[key] for key in ("auc", "auc_low", "auc_high", "num_videos")}
    if metrics["auc"] is None:
        return Finding(
            "background_tested", INFO, "backgrounds of one class only were tested", evidence=evidence
        )
    said = (
        f"AUC {metrics['auc']:.3f} [{metrics['auc_low']:.3f}, {metrics['auc_high']:.3f}] on "
        f"{metrics['num_videos']} videos of people it never saw"
    )
    if metrics["auc_low"] > _TELLING:
        return Finding(
            "background_tells_label",
            FAIL,
            f"a detector that sees only what is around faces tells fakes from originals: {said}",
            "find out what only one class went through; the tests of single nuisances may name it",
            evidence,
        )
    return Finding(
        "background_tested",
        INFO,
        f"a detector that sees only what is around faces does not tell fakes from originals: {said}",
        evidence=evidence,
    )
