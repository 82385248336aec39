"""What validation after an epoch measures, and with which weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.training.scoring import Predict, score_clips


@contextmanager
def averaged_weights(optimizer: keras.optimizers.Optimizer, model: keras.Model) -> Iterator[None]:
    """Puts the moving averages, if the optimizer keeps them, into the weights while the block runs."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not optimizer.use_ema:
        yield
        return
    weights = [np.asarray(variable) for variable in model.trainable_variables]
    for variable, average in zip(
        model.trainable_variables, optimizer._model_variables_moving_average, strict=True
    ):
        variable.assign(np.asarray(average))
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, weights, strict=True):
            variable.assign(value)


def validation_metrics(predict: Predict, clips: tf.data.Dataset) -> dict[str, float | None]:
    """Mean loss and AUC over clips; the AUC is None where there is one class only.

    Raises:
        UserError: a logit is not finite.
    """
    scores = score_clips(predict, clips)
    if not np.isfinite(scores.logits).all():
        raise UserError(
            "the detector gives no finite logits any more; lower --learning_rate in a new --workdir"
        )
    # log(1 + exp(x)) without overflow, for the label's side of the logit.
    losses = np.logaddexp(0.0, np.where(scores.labels == 1, -scores.logits, scores.logits))
    both = len(set(scores.labels.tolist())) == 2
    auc = float(roc_auc_score(scores.labels, scores.logits)) if both else None
    return {"val_loss": float(losses.mean()), "val_auc": auc}
