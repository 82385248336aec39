"""The training loop: steps, validation after every epoch, checkpoints, early stopping.

Keras' `fit` is not used: with several replicas or workers it fails for more than one step a call
(keras#19246, #20585), and its backups know the epoch but not the position in the data.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import atomic_path
from deepfake_tfdata.model.detector import set_batch_norm_synchronized, weighs_frames
from deepfake_tfdata.model.halves import temporal_detector
from deepfake_tfdata.scoring.clip_scores import ClipScores, make_predict, score_clips
from deepfake_tfdata.scoring.local_devices import explained_lack_of_memory
from deepfake_tfdata.scoring.run_evaluation import scored_model
from deepfake_tfdata.scoring.runs import MODEL_FILE
from deepfake_tfdata.training.averaging import WeightAverage
from deepfake_tfdata.training.callbacks import Callbacks, explain_divergence
from deepfake_tfdata.training.checkpoints import CHECKPOINTS, newest_checkpoint, restore, save_checkpoint
from deepfake_tfdata.training.optimization import build_for
from deepfake_tfdata.training.options import StepOptions
from deepfake_tfdata.training.replicas import give_replicas_their_own_dropout
from deepfake_tfdata.training.run_state import RunState, describe_epoch
from deepfake_tfdata.training.stages import Stage, set_trainable, stage_at, trained_model
from deepfake_tfdata.training.step import make_train_steps
from deepfake_tfdata.training.step_plan import StepPlan
from deepfake_tfdata.training.stopping import StopRequested, until_stopped
from deepfake_tfdata.training.summaries import TENSORBOARD, Summaries, profile
from deepfake_tfdata.training.validation import scores_of_all_workers, validation_metrics
from deepfake_tfdata.training.variable_names import model_variables, optimizer_variables
from deepfake_tfdata.training.workers import Workers

_LOG = logging.getLogger(__name__)
METRICS_FILE = "metrics.jsonl"


class Trainer:
    """Trains one detector under one strategy.

    Args:
        model: built in the strategy's scope.
        saved: what is saved as the best model: the model, or the detector whose second half it is.
        stages: of the run, in order; the first begins at epoch 0.
        strategy: from select_strategy.
        workdir: where metrics, checkpoints and the best model go.
        plan: how many steps, and where they are interrupted.
        batch_size: of a step, over all replicas.
        step: how one is made.
        ema: momentum of the weights' moving average; 0 keeps none.
        skipped_clips: damaged ones that the run goes without, for its metrics.
        validated_videos: the video of each clip of the validation; where not given, every clip is one.

    Attributes:
        best_scores: of the validation, where its best epoch was one of this process.
    """

    def __init__(
        self,
        model: keras.Model,
        saved: keras.Model,
        stages: list[Stage],
        strategy: tf.distribute.Strategy,
        *,
        workdir: Path,
        plan: StepPlan,
        batch_size: int,
        step: StepOptions,
        ema: float = 0.0,
        skipped_clips: int = 0,
        validated_videos: Sequence[str] = (),
    ) -> None:
        self.model, self.saved, self.stages, self.strategy = model, saved, stages, strategy
        self.workdir, self.plan, self._skipped_clips = workdir, plan, skipped_clips
        self._batch_size, self._step_options = batch_size, step
        self._validated_videos = validated_videos
        self.best_scores: ClipScores | None = None
        self.state = RunState()
        if strategy.num_replicas_in_sync > 1:
            give_replicas_their_own_dropout(model)
        self._synchronize(True)
        self._predict = make_predict(self._scored_model(), strategy)
        self._workers = Workers(strategy)
        self._summaries = Summaries(workdir / TENSORBOARD)
        self._average = WeightAverage(model, ema, strategy) if ema else None
        self._enter_stage(stages[0])

    def _scored_model(self) -> keras.Model:
        """What validates: the model, with the attention among its outputs where its head has one."""
        if self.model is self.saved or not weighs_frames(self.model):
            return scored_model(self.model)
        return temporal_detector(scored_model(self.saved))

    @property
    def step(self) -> int:
        """Steps done so far."""
        return self.state.epoch * self.plan.steps_per_epoch + len(self.state.losses)

    @property
    def finished(self) -> bool:
        """Whether the epochs or the patience are used up."""
        state, loop = self.state, self.plan.loop
        out_of_patience = state.epochs_since_best >= loop.patience and self._stage is self.stages[-1]
        return state.epoch >= loop.epochs or out_of_patience

    def resume(self) -> bool:
        """Goes on from the newest whole checkpoint of the workdir; False if there is none.

        Raises:
            UserError: all are damaged, or they are another model's, or of a stage that the run has no more.
        """
        checkpoint = newest_checkpoint(self.workdir / CHECKPOINTS)
        if checkpoint is None:
            return False
        self.state = RunState(**checkpoint.state)
        if self.state.stage >= len(self.stages):
            raise UserError(
                f"{self.workdir} trains its whole backbone already, after {self.state.epoch} epochs; "
                f"--epochs={self.plan.loop.epochs} ends with it frozen: use more than --freeze_epochs"
            )
        self._enter_stage(self.stages[self.state.stage])
        restore(checkpoint, self._variables())
        # A run that ended with one stage may go on with the next.
        self._enter_stage_of_epoch()
        return True

    def fit(self, batches: Iterator[Any], validation: tf.data.Dataset, callbacks: Callbacks) -> None:
        """Trains until the epochs or the patience are used up, or it is asked to stop.

        Args:
            batches: endless distributed batches (frames, labels), from the next step on.
            validation: batches from load_clips, in order: this worker's share of them. Where the last epoch
                has all its steps and no validation yet, a resumed run begins with it.
            callbacks: see there.

        Raises:
            UserError: the loss is not finite, or the memory does not suffice.
        """
        if self._workers.chief:
            self._summaries.forget_after(self.step)
            if self.plan.loop.epochs == self.step == 0:
                self._save_model()
        with explained_lack_of_memory(self._batch_size):
            while not self.finished:
                if self._steps_left:
                    self._make_steps(batches, callbacks)
                    # An epoch is saved before its validation, too, which may take long.
                    if not self._steps_left or len(self.state.losses) % self.plan.loop.checkpoint_steps == 0:
                        self._save()
                if not self._steps_left:
                    try:
                        self._end_epoch(until_stopped(validation, callbacks.should_stop, self._workers))
                    except StopRequested:
                        return
                if self._workers.any(callbacks.should_stop()):
                    self._save()
                    # Nobody leaves before it is saved: one that is gone would end the others.
                    self._workers.any(True)
                    return

    @property
    def _steps_left(self) -> bool:
        """Whether the epoch under way has steps to come."""
        return len(self.state.losses) < self.plan.steps_per_epoch

    def _enter_stage_of_epoch(self) -> None:
        stage = stage_at(self.stages, self.state.epoch)
        if stage is not self._stage:
            self.state.epochs_since_best = 0
            self._enter_stage(stage)

    def _enter_stage(self, stage: Stage) -> None:
        """Sets trainable layers, optimizer and step."""
        self._stage = stage
        self.state.stage = self.stages.index(stage)
        self.optimizer = stage.optimizer
        set_trainable(self.model, self._stage)
        trained = trained_model(self.model, self._stage)
        with self.strategy.scope():
            build_for(self.optimizer, trained.trainable_variables)
        self._train_steps = make_train_steps(
            trained,
            self.optimizer,
            self.strategy,
            self._batch_size,
            self._step_options,
            *([self._average.update] if self._average else []),
        )

    def _make_steps(self, batches: Iterator[Any], callbacks: Callbacks) -> None:
        count, profiled = self.plan.next_call(self.step)
        start = time.perf_counter()
        profiled = profiled and self._workers.chief
        with profile(self.workdir / TENSORBOARD, self.step, count) if profiled else nullcontext():
            reports = self._train_steps(batches, count)
        seconds = (time.perf_counter() - start) / count
        for loss, learning_rate, waited in reports.tolist():
            if not np.isfinite(loss):
                clips = callbacks.clip_ids(self.state.epoch, len(self.state.losses))
                raise UserError(explain_divergence(loss, learning_rate, self.step + 1, clips))
            self.state.add_step(loss, seconds, waited)
            rates = self.state.rates(self._batch_size)
            callbacks.on_step(
                f"loss {loss:.4f}, {rates['clips_per_second']:.1f} clips/s, "
                f"{rates['input_wait_fraction']:.1%} waiting for input{self._last_auc()}"
            )

    def _end_epoch(self, validation: Iterable[Any]) -> None:
        state = self.state
        metrics: dict[str, Any] = {
            "epoch": state.epoch + 1,
            "step": self.step,
            "loss": float(np.mean(state.losses)),
            "learning_rate": self._learning_rate(),
            "skipped_clips": self._skipped_clips,
            **state.rates(self._batch_size),
        }
        with self._average.swapped_in() if self._average else nullcontext():
            scores = scores_of_all_workers(score_clips(self._predict, validation), self._workers)
            metrics.update(validation_metrics(scores, self._validated_videos))
            if state.end_epoch(metrics):
                self.best_scores = scores
                if self._workers.chief:
                    self._save_model()
        self._enter_stage_of_epoch()
        if self._workers.chief:
            # Before the checkpoint, which ends the epoch for good; a repeated epoch writes the same again.
            state.write_metrics(self.workdir / METRICS_FILE)
            self._summaries.add_epoch(metrics, scores)
        self._save()
        if self._workers.chief:
            _LOG.info(describe_epoch(metrics))

    def _save(self) -> None:
        if self._workers.chief:
            folder = self.workdir / CHECKPOINTS
            save_checkpoint(folder, self.step, self._variables(), self.state.to_dict())

    def _save_model(self) -> None:
        # Synchronised layers would tie the file to strategies that know how to.
        self._synchronize(False)
        with atomic_path(self.workdir / MODEL_FILE) as temporary:
            self.saved.save(temporary)
        self._synchronize(True)

    def _synchronize(self, synchronized: bool) -> None:
        several = self.strategy.num_replicas_in_sync > 1
        asked = self._step_options.sync_batch_norm
        set_batch_norm_synchronized(self.saved, synchronized and asked and several)

    def _variables(self) -> dict[str, keras.Variable]:
        """Every variable that decides how training goes on, by a name that is the same in every process."""
        of_model = model_variables(self.model)
        parts = {"model": of_model, "optimizer": optimizer_variables(self.optimizer, of_model)}
        if self._average:
            parts["average"] = self._average.variables
        return {f"{part}/{name}": each for part, named in parts.items() for name, each in named.items()}

    def _learning_rate(self) -> float:
        return float(np.asarray(self.optimizer.learning_rate))

    def _last_auc(self) -> str:
        history = self.state.history
        return f", val_auc {history[-1]['val_auc']:.3f}" if history and history[-1]["val_auc"] else ""
