"""The training loop: steps, validation after every epoch, checkpoints, early stopping."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import atomic_path, write_text
from deepfake_tfdata.model.detector import set_batch_norm_synchronized
from deepfake_tfdata.training.checkpoints import (
    list_checkpoints,
    load_checkpoint,
    restore,
    save_checkpoint,
    variables_of,
)
from deepfake_tfdata.training.scoring import Predict, make_predict, score_clips

_LOG = logging.getLogger(__name__)
MODEL_FILE = "model.keras"


@dataclass(frozen=True)
class LoopConfig:
    """How long to train and when to stop.

    Attributes:
        workdir: where metrics, checkpoints and the best model go.
        epochs: at most.
        patience: epochs without a better validation before stopping.
        batch_size: over all replicas.
        steps_per_epoch: batches.
    """

    workdir: Path
    epochs: int
    patience: int
    batch_size: int
    steps_per_epoch: int


@dataclass
class RunProgress:
    """What a run has behind it.

    Attributes:
        history: a metrics line an epoch.
        best: the sort key of the best validation.
        epochs_since_best: for early stopping.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    best: list[float] | None = None
    epochs_since_best: int = 0


class Trainer:
    """Trains one detector under one strategy.

    Args:
        model: built in the strategy's scope.
        optimizer: built there too.
        strategy: single or mirrored.
        config: how long.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        strategy: tf.distribute.Strategy,
        config: LoopConfig,
    ) -> None:
        self.model, self.optimizer, self.strategy, self.config = model, optimizer, strategy, config
        self.progress = RunProgress()
        # Replicas see different clips; without synchronisation only the first one's statistics are saved.
        set_batch_norm_synchronized(model, strategy.num_replicas_in_sync > 1)
        with strategy.scope():
            optimizer.build(model.trainable_variables)
        self._train_step = make_train_step(model, optimizer, strategy, config.batch_size)
        self._predict = make_predict(model, strategy)
        self._variables = variables_of(model, optimizer)
        self._writer = tf.summary.create_file_writer(str(config.workdir / "tensorboard"))

    @property
    def next_epoch(self) -> int:
        """The epoch to train next, from 0."""
        return len(self.progress.history)

    @property
    def finished(self) -> bool:
        """Whether the epochs or the patience are used up."""
        return (
            self.next_epoch >= self.config.epochs or self.progress.epochs_since_best >= self.config.patience
        )

    def resume(self) -> bool:
        """Goes on from the newest checkpoint of the workdir; False if there is none.

        Raises:
            UserError: it is damaged or another model's.
        """
        checkpoints = list_checkpoints(self.config.workdir / "checkpoints")
        if not checkpoints:
            return False
        checkpoint = load_checkpoint(checkpoints[-1])
        restore(checkpoint, self._variables, checkpoints[-1])
        self.progress = RunProgress(**checkpoint.progress)
        return True

    def fit(
        self, training: tf.data.Dataset, validation: tf.data.Dataset, on_step: Callable[[float], None]
    ) -> None:
        """Trains until the epochs or the patience are used up.

        Args:
            training: endless batches (frames, labels), from `next_epoch` on.
            validation: batches from load_clips, in order.
            on_step: called with the loss after every step.

        Raises:
            UserError: the loss is not finite.
        """
        batches = iter(self.strategy.experimental_distribute_dataset(training))
        while not self.finished:
            metrics = self._train_epoch(batches, on_step)
            metrics.update(validation_metrics(self._predict, validation))
            self._end_epoch(metrics)

    def _train_epoch(self, batches: Iterator, on_step: Callable[[float], None]) -> dict[str, Any]:
        losses, waited = [], 0.0
        start = time.perf_counter()
        for _ in range(self.config.steps_per_epoch):
            asked = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - asked
            # Reading the loss waits for the step, so that the wait for input above is the device's own.
            losses.append(float(self._train_step(batch)))
            if not np.isfinite(losses[-1]):
                step = self.next_epoch * self.config.steps_per_epoch + len(losses)
                raise UserError(f"the loss is {losses[-1]} at step {step}; lower --learning_rate")
            on_step(losses[-1])
        seconds = time.perf_counter() - start
        return {
            "epoch": self.next_epoch + 1,
            "step": (self.next_epoch + 1) * self.config.steps_per_epoch,
            "loss": float(np.mean(losses)),
            "clips_per_second": len(losses) * self.config.batch_size / seconds,
            "input_wait_fraction": waited / seconds,
        }

    def _end_epoch(self, metrics: dict[str, Any]) -> None:
        progress = self.progress
        progress.history.append(metrics)
        key = [metrics["val_auc"] or 0.0, -metrics["val_loss"]]
        if progress.best is None or key > progress.best:
            progress.best, progress.epochs_since_best = key, 0
            self._save_model()
        else:
            progress.epochs_since_best += 1
        folder = self.config.workdir / "checkpoints"
        save_checkpoint(folder, self.next_epoch, self._variables, vars(progress))
        lines = [json.dumps(line) for line in progress.history]
        write_text(self.config.workdir / "metrics.jsonl", "\n".join(lines) + "\n")
        with self._writer.as_default(step=metrics["step"]):
            for name, value in metrics.items():
                if name not in ("epoch", "step") and value is not None:
                    tf.summary.scalar(name, value)
        self._writer.flush()
        _LOG.info(describe(metrics))

    def _save_model(self) -> None:
        # Synchronised layers would tie the file to strategies that know how to.
        set_batch_norm_synchronized(self.model, False)
        with atomic_path(self.config.workdir / MODEL_FILE) as temporary:
            self.model.save(temporary)
        set_batch_norm_synchronized(self.model, self.strategy.num_replicas_in_sync > 1)


def make_train_step(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    strategy: tf.distribute.Strategy,
    batch_size: int,
) -> Callable[[Any], tf.Tensor]:
    """Compiles one step over all replicas.

    Args:
        model: gives logits.
        optimizer: built for the model's trainable variables.
        strategy: its replicas each get a part of the batch.
        batch_size: over all replicas; the loss is the mean over these, so that replicas do not matter.

    Returns:
        From a distributed batch (frames, labels) to the loss, a float32 scalar.
    """

    def replica_step(frames: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = tf.reshape(model(frames, training=True), [-1])
            losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels, tf.float32), logits)
            loss = tf.reduce_sum(losses) / batch_size
            scaled = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    @tf.function
    def train_step(batch: Any) -> tf.Tensor:
        losses = strategy.run(replica_step, args=batch)
        return strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    return train_step


def validation_metrics(predict: Predict, clips: tf.data.Dataset) -> dict[str, float | None]:
    """Mean loss and AUC over clips; the AUC is None where there is one class only."""
    scores = score_clips(predict, clips)
    # log(1 + exp(x)) without overflow, for the label's side of the logit.
    losses = np.logaddexp(0.0, np.where(scores.labels == 1, -scores.logits, scores.logits))
    both = len(set(scores.labels.tolist())) == 2
    auc = float(roc_auc_score(scores.labels, scores.logits)) if both else None
    return {"val_loss": float(losses.mean()), "val_auc": auc}


def describe(metrics: dict[str, Any]) -> str:
    """A line for a person about an epoch."""
    auc = "undefined" if metrics["val_auc"] is None else f"{metrics['val_auc']:.3f}"
    return (
        f"epoch {metrics['epoch']}: loss {metrics['loss']:.4f}, val_loss {metrics['val_loss']:.4f}, "
        f"val_auc {auc}, {metrics['clips_per_second']:.1f} clips/s, "
        f"{metrics['input_wait_fraction']:.1%} waiting for input"
    )
