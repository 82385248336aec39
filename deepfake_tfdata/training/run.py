"""One run from its configuration: build, resume, train."""

import dataclasses
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.reading import explained_damage
from deepfake_tfdata.input.shards import Shards
from deepfake_tfdata.model.detector import build_detector, count_parameters
from deepfake_tfdata.model.features import temporal_detector
from deepfake_tfdata.model.flops import count_flops
from deepfake_tfdata.training.config import (
    Run,
    TrainConfig,
    git_revision,
    package_versions,
    require_resumable,
    write_run,
)
from deepfake_tfdata.training.data import (
    clip_ids,
    feature_batches,
    find_splits,
    frame_size,
    load_in_order,
    load_replica_batches,
    load_validation,
)
from deepfake_tfdata.training.devices import explained_lack_of_memory, select_precision, select_strategy
from deepfake_tfdata.training.features import load_features
from deepfake_tfdata.training.loop import Callbacks, Trainer
from deepfake_tfdata.training.loop_config import LoopConfig, parse_profile_steps
from deepfake_tfdata.training.optimization import build_optimizer
from deepfake_tfdata.training.stages import Stage
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
    """

    finished: bool
    chief: bool


def train(config: TrainConfig, start_progress: StartProgress, should_stop: Callable[[], bool]) -> Outcome:
    """Trains a detector, or goes on where an earlier run in the same workdir stopped.

    Args:
        config: the flags.
        start_progress: shows the steps.
        should_stop: asked after every call of steps; True saves and ends.

    Returns:
        How it ended.

    Raises:
        UserError: the records, the flags or the workdir do not fit.
    """
    strategy = select_strategy(config.strategy)
    splits = find_splits(config)
    shards = splits["train"]
    replicas = strategy.num_replicas_in_sync
    if config.batch_size > shards.num_clips:
        raise UserError(
            f"--batch_size={config.batch_size} exceeds the {shards.num_clips} train clips; use less"
        )
    if config.cache_features and (strategy.extended._in_multi_worker_mode() or "://" in config.data):
        raise UserError("--cache_features works on one machine with local --data; leave it out")
    if config.batch_size % (replicas * config.accumulation):
        raise UserError(
            f"--batch_size={config.batch_size} can't be shared by {replicas} device(s) in "
            f"{config.accumulation} part(s) each; use a multiple of {replicas * config.accumulation}"
        )
    if config.jit_compile and replicas > 1:
        raise UserError(f"--jit_compile holds on one device, not on {replicas}; leave it out")
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    precision = select_precision(config.precision, strategy)
    keras.utils.set_random_seed(config.seed)
    trainer, run = _build(config, splits, strategy, precision)
    require_resumable(run)
    workers = Workers(strategy)
    if workers.chief:
        write_run(run)
    if trainer.resume():
        _LOG.info("resumed from %s at step %d", config.workdir, trainer.step)
    _LOG.info(
        "%s/%s, %s parameters, %d device(s), %s, %d train clips, %d steps an epoch",
        config.region,
        config.head,
        f"{run.parameters['total']:,}",
        replicas,
        precision,
        shards.num_clips,
        trainer.config.steps_per_epoch,
    )
    _fit(trainer, config, splits, start_progress, should_stop)
    return Outcome(trainer.finished, workers.chief)


def _build(
    config: TrainConfig, splits: dict[str, Shards], strategy: tf.distribute.Strategy, precision: str
) -> tuple[Trainer, Run]:
    shards = splits["train"]
    spec = shards.spec
    loop = LoopConfig(
        workdir=Path(config.workdir),
        epochs=config.epochs,
        patience=config.patience,
        batch_size=config.batch_size,
        steps_per_epoch=max(1, shards.num_clips // config.batch_size),
        steps_per_call=config.steps_per_call,
        profile_steps=parse_profile_steps(config.profile_steps),
        checkpoint_steps=config.checkpoint_steps,
        label_smoothing=config.label_smoothing,
        accumulation=config.accumulation,
        jit_compile=config.jit_compile,
        skipped_clips=splits["train"].num_skipped + splits["val"].num_skipped,
    )
    with strategy.scope():
        model = build_detector(
            config.backbone,
            config.head,
            spec.num_frames,
            frame_size(config, shards),
            config.weights,
            lstm_units=config.lstm_units,
            dropout=config.dropout,
            regions=config.regions,
            share_backbone=config.share_backbone,
            native=shards.is_native,
        )
        stages = _stages(config, loop.steps_per_epoch, loss_scaling=precision == "mixed_float16")
    run = Run(
        config=config,
        precision=precision,
        spec=spec.to_dict(),
        spec_hash=spec.hash,
        plan=shards.plan,
        clips=shards.digest,
        parameters=count_parameters(model),
        flops_per_clip=count_flops(model),
        versions=package_versions(),
        revision=git_revision(),
    )
    trained = temporal_detector(model) if config.cache_features else model
    return Trainer(trained, model, stages, strategy, loop), run


def _stages(config: TrainConfig, steps_per_epoch: int, loss_scaling: bool) -> list[Stage]:
    """One stage, or two where the backbone is frozen first."""

    def stage(first_epoch: int, end: int, frozen: bool, learning_rate: float) -> Stage:
        optimizer = build_optimizer(
            dataclasses.replace(config.optimizer, learning_rate=learning_rate),
            config.batch_size,
            steps_per_epoch,
            end - first_epoch,
            loss_scaling,
        )
        return Stage(first_epoch, frozen, config.finetune_layers, optimizer)

    frozen_until, rate = min(config.freeze_epochs, config.epochs), config.optimizer.learning_rate
    stages = [stage(0, frozen_until, True, rate)] if frozen_until else []
    if frozen_until < config.epochs:
        rate = config.finetune_learning_rate if frozen_until else rate
        stages.append(stage(frozen_until, config.epochs, False, rate))
    return stages


def _fit(
    trainer: Trainer,
    config: TrainConfig,
    splits: dict[str, Shards],
    start_progress: StartProgress,
    should_stop: Callable[[], bool],
) -> None:
    ids = partial(clip_ids, config=config, shards=splits["train"])
    steps = config.epochs * trainer.config.steps_per_epoch - trainer.step
    with explained_damage(splits["train"], splits["val"]):
        load_batches, validation = _data(trainer, config, splits, start_progress)
        position = {"first_epoch": trainer.progress.epoch, "first_step": len(trainer.progress.losses)}
        batches = trainer.strategy.distribute_datasets_from_function(
            partial(load_batches, config=config, **position)
        )
        with start_progress(steps) as on_step:
            trainer.fit(iter(batches), validation, Callbacks(on_step, should_stop, ids))


def _data(
    trainer: Trainer, config: TrainConfig, splits: dict[str, Shards], start_progress: StartProgress
) -> tuple[Callable[..., tf.data.Dataset], tf.data.Dataset]:
    """What loads a replica's batches, and the validation: frames, or the features kept of them."""
    if not config.cache_features:
        validation = load_validation(config, splits["val"], Workers(trainer.strategy))
        return partial(load_replica_batches, shards=splits["train"]), validation
    with explained_lack_of_memory(config.batch_size):
        train, val = (
            load_features(
                trainer.saved,
                splits[split],
                config.data,
                partial(load_in_order, config),
                trainer.strategy,
                start_progress,
            )
            for split in ("train", "val")
        )
    return partial(feature_batches, features=train), val.in_order(config.batch_size)
