"""One run from its configuration: build, resume, train."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.batches import (
    clip_ids,
    find_split,
    frame_size,
    load_in_order,
)
from deepfake_tfdata.input.reading import explained_damage
from deepfake_tfdata.input.shards import POOL, Shards
from deepfake_tfdata.model.detector import build_detector, count_parameters
from deepfake_tfdata.model.flops import count_flops
from deepfake_tfdata.model.halves import temporal_detector
from deepfake_tfdata.options import flat
from deepfake_tfdata.scoring.local_devices import describe_devices, explained_lack_of_memory
from deepfake_tfdata.scoring.run_evaluation import EvaluatedRun, evaluated
from deepfake_tfdata.scoring.runs import Run, write_run
from deepfake_tfdata.scoring.sessions import continued, this_session
from deepfake_tfdata.training.callbacks import Callbacks
from deepfake_tfdata.training.config import TrainConfig
from deepfake_tfdata.training.devices import select_precision, select_strategy
from deepfake_tfdata.training.feature_cache import FeatureSplit, load_features
from deepfake_tfdata.training.loop import Trainer
from deepfake_tfdata.training.resume import require_resumable
from deepfake_tfdata.training.run_batches import (
    batch_shapes,
    feature_batches,
    frame_batches,
    load_validation,
)
from deepfake_tfdata.training.stages import plan_stages
from deepfake_tfdata.training.step_plan import StepPlan
from deepfake_tfdata.training.stopping import StopRequested, until_stopped
from deepfake_tfdata.training.workers import Workers

_LOG = logging.getLogger(__name__)
# Called with the number of steps to come; gives what is called with a note after each.
StartProgress = Callable[[int], AbstractContextManager[Callable[[str], None]]]


@dataclass(frozen=True)
class Outcome:
    """How a training process ended.

    Attributes:
        finished: it was not asked to stop before its end.
        chief: it is the one that writes the files.
        validation: what the best epoch gave, where the run is finished and had that epoch in this process.
    """

    finished: bool
    chief: bool
    validation: EvaluatedRun | None


@contextmanager
def _no_progress(steps: int) -> Iterator[Callable[[str], None]]:
    del steps
    yield lambda note: None


def train(
    config: TrainConfig,
    start_progress: StartProgress = _no_progress,
    should_stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Trains a detector, or goes on where an earlier run in the same workdir stopped.

    Args:
        config: the options.
        start_progress: shows the steps.
        should_stop: asked after every call of steps, and between the batches of a validation or of features
            to keep; True saves and ends.

    Returns:
        How it ended.

    Raises:
        UserError: the records, the options or the workdir do not fit.
    """
    strategy = select_strategy(config.devices.strategy)
    splits = {split: find_split(config.input, split) for split in ("train", "val")}
    _check_devices(config, strategy, splits["train"])
    if config.devices.deterministic:
        tf.config.experimental.enable_op_determinism()
    precision = select_precision(config.devices.precision, strategy)
    keras.utils.set_random_seed(config.devices.seed)
    trainer, run = _build(config, splits, strategy, precision)
    sessions = require_resumable(config.folder, run)
    workers = Workers(strategy)
    if trainer.resume():
        _LOG.info("resumed from %s at step %d", config.folder, trainer.step)
    if not (trainer.finished and sessions):
        sessions = continued(sessions, this_session(trainer.step, describe_devices(strategy)))
    run = replace(run, sessions=sessions)
    if workers.chief:
        write_run(config.folder, run)
    _LOG.info(
        "%s, %s parameters, %d device(s), %s, %d train clips, %d steps an epoch",
        run.name,
        f"{run.parameters['total']:,}",
        strategy.num_replicas_in_sync,
        precision,
        splits["train"].num_clips,
        trainer.plan.steps_per_epoch,
    )
    with explained_damage(splits["train"], splits["val"]), suppress(StopRequested):
        _fit(trainer, config, splits, start_progress, should_stop)
    validation = None
    if trainer.finished and trainer.best_scores:
        validation = evaluated(run, config.folder, trainer.best_scores, splits["val"], config.input.data)
    return Outcome(trainer.finished, workers.chief, validation)


def _check_devices(config: TrainConfig, strategy: tf.distribute.Strategy, shards: Shards) -> None:
    """Refuses what the devices at hand can't do."""
    replicas, batch_size = strategy.num_replicas_in_sync, config.input.batch_size
    parts = replicas * config.step.accumulation
    if batch_size > shards.num_clips:
        raise UserError(f"--batch_size={batch_size} exceeds the {shards.num_clips} train clips; use less")
    if batch_size % parts:
        raise UserError(
            f"--batch_size={batch_size} can't be shared by {replicas} device(s) in "
            f"{config.step.accumulation} part(s) each; use a multiple of {parts}"
        )
    if config.stages.cache_features and Workers(strategy).count > 1:
        raise UserError("--cache_features works on one machine; leave it out")
    if config.step.jit_compile and config.step.sync_batch_norm and replicas > 1:
        raise UserError(
            f"--jit_compile can't join {replicas} devices' BatchNormalization; add --sync_batch_norm=false"
        )


def _build(
    config: TrainConfig, splits: dict[str, Shards], strategy: tf.distribute.Strategy, precision: str
) -> tuple[Trainer, Run]:
    shards, batch_size = splits["train"], config.input.batch_size
    plan = StepPlan(config.loop, max(1, shards.num_clips // batch_size))
    with strategy.scope():
        model = build_detector(
            num_frames=shards.spec.num_frames,
            frame_size=frame_size(config.input, shards),
            regions=config.input.regions,
            native=shards.is_native,
            **flat(config.model),
        )
        stages = plan_stages(
            config.stages, config.optimizer, batch_size, plan, loss_scaling=precision == "mixed_float16"
        )
    run = Run(
        config=flat(replace(config, workdir=str(config.folder))),
        precision=precision,
        spec=shards.spec.to_dict(),
        spec_hash=shards.spec.hash,
        plan=shards.conversion.plan,
        provenance=shards.conversion.provenance,
        data=shards.conversion.identity,
        clips=shards.digest,
        parameters=count_parameters(model),
        flops_per_clip=count_flops(model),
    )
    trainer = Trainer(
        temporal_detector(model) if config.stages.cache_features else model,
        model,
        stages,
        strategy,
        workdir=config.folder,
        plan=plan,
        batch_size=batch_size,
        step=config.step,
        ema=config.optimizer.ema,
        skipped_clips=splits["train"].num_skipped + splits["val"].num_skipped,
        validated_videos=[clip.video_key for clip in splits["val"].clips[0]],
    )
    return trainer, run


def _fit(
    trainer: Trainer,
    config: TrainConfig,
    splits: dict[str, Shards],
    start_progress: StartProgress,
    should_stop: Callable[[], bool],
) -> None:
    """Trains on frames, or on the features kept of them."""
    if config.stages.cache_features:
        features = _features_of(trainer, config, splits, start_progress, should_stop)
        load_batches = partial(feature_batches, features=features["train"])
        validation = features["val"].in_order(config.input.batch_size)
    else:
        load_batches = partial(frame_batches, shards=splits["train"])
        validation = load_validation(config, splits["val"], Workers(trainer.strategy))

    def clips_of(epoch: int, step: int) -> list[str]:
        if config.stages.cache_features:
            return []  # these are in an order of their own
        return clip_ids(config.input, splits["train"], seed=config.devices.seed, epoch=epoch, step=step)

    # The next step's: a run that goes on with a validation has made all of its epoch's.
    first_epoch, first_step = divmod(trainer.step, trainer.plan.steps_per_epoch)
    position = {"first_epoch": first_epoch, "first_step": first_step}
    batches = trainer.strategy.distribute_datasets_from_function(
        partial(load_batches, config=config, **position)
    )
    with start_progress(trainer.plan.num_steps - trainer.step) as on_step:
        trainer.fit(iter(batches), validation, Callbacks(on_step, should_stop, clips_of))


def _features_of(
    trainer: Trainer,
    config: TrainConfig,
    splits: dict[str, Shards],
    start_progress: StartProgress,
    should_stop: Callable[[], bool],
) -> dict[str, FeatureSplit]:
    """The features of each split. Those of folds are kept of all clips together, once for all folds."""
    if not config.input.fold:
        return {
            split: _kept_features(trainer, config, shards, start_progress, should_stop)
            for split, shards in splits.items()
        }
    pool = find_split(config.input, POOL)
    features = _kept_features(trainer, config, pool, start_progress, should_stop)
    rows = {clip.clip_id: row for row, clip in enumerate(pool.clips[0])}
    return {
        split: features.select([rows[clip.clip_id] for clip in shards.clips[0]])
        for split, shards in splits.items()
    }


def _kept_features(
    trainer: Trainer,
    config: TrainConfig,
    shards: Shards,
    start_progress: StartProgress,
    should_stop: Callable[[], bool],
) -> FeatureSplit:
    def batches_of(missing: Shards) -> Iterator[Any]:
        batches = load_in_order(config.input, missing, shapes=batch_shapes(config))
        return until_stopped(batches, should_stop, Workers(trainer.strategy))

    with explained_lack_of_memory(config.input.batch_size):
        return load_features(
            trainer.saved,
            shards,
            config.input.view,
            config.input.data,
            batches_of,
            trainer.strategy,
            start_progress,
        )
