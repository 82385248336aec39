"""What validation after an epoch measures."""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit
from sklearn.metrics import log_loss

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.intervals import auc
from deepfake_tfdata.evaluation.predictions import group_clips, mean_scores
from deepfake_tfdata.scoring.clip_scores import ClipScores
from deepfake_tfdata.training.workers import Workers


def scores_of_all_workers(scores: ClipScores, workers: Workers) -> ClipScores:
    """Puts the scores of all workers together, in the order of the clips.

    Args:
        scores: of this worker's clips: of all clips, every count-th from its index on.
        workers: each calls this.

    Returns:
        The scores of all clips, without their features where there are several workers.
    """
    if workers.count == 1:
        return scores
    total = int(workers.sum(np.array([len(scores.labels)], np.float32))[0])

    def whole(values: np.ndarray) -> np.ndarray:
        # Everybody fills in its own rows; the others' are zero, so that the sum has each row once.
        rows = np.zeros((total, *values.shape[1:]), np.float32)
        rows[workers.index :: workers.count] = values
        return workers.sum(rows)

    return ClipScores(
        logits=whole(scores.logits),
        labels=whole(scores.labels).astype(np.int64),
        attention=None if scores.attention is None else whole(scores.attention),
        features={},
    )


def validation_metrics(scores: ClipScores, videos: Sequence[str] = ()) -> dict[str, float | None]:
    """Log loss and AUC per video, as `evaluate` reports them; the AUC is None where there is one class only.

    Args:
        scores: of clips.
        videos: the key of each clip's video; where not given, every clip is one.

    Raises:
        UserError: a logit is not finite.
    """
    if not np.isfinite(scores.logits).all():
        raise UserError(
            "the detector gives no finite logits any more; lower --learning_rate in a new --workdir"
        )
    first, video = group_clips(np.array(videos or range(len(scores.labels))))
    labels = scores.labels[first]
    probabilities = mean_scores(expit(scores.logits.astype(np.float64)), video)
    both = len(set(labels.tolist())) == 2
    return {
        "val_loss": log_loss(labels, probabilities, labels=[0, 1]),
        "val_auc": auc(labels, probabilities) if both else None,
    }
