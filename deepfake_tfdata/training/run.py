"""One run from its configuration: build, resume, train."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import keras
import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.dataset import load_clips
from deepfake_tfdata.input.shards import Shards, explained_data_loss, find_shards
from deepfake_tfdata.model.detector import build_detector, count_parameters
from deepfake_tfdata.training.config import (
    Run,
    TrainConfig,
    package_versions,
    require_resumable,
    write_run,
)
from deepfake_tfdata.training.devices import select_precision, select_strategy
from deepfake_tfdata.training.loop import LoopConfig, Trainer

_LOG = logging.getLogger(__name__)
# Called with the number of steps to come, the whole run's; gives what is called with the loss after each.
StartProgress = Callable[[int], AbstractContextManager[Callable[[float], None]]]


def train(config: TrainConfig, start_progress: StartProgress) -> None:
    """Trains a detector, or goes on where an earlier run in the same workdir stopped.

    Args:
        config: the flags.
        start_progress: shows the steps.

    Raises:
        UserError: the records, the flags or the workdir do not fit.
    """
    shards = find_shards(config.data, config.region, "train")
    strategy = select_strategy(config.strategy)
    if config.batch_size % strategy.num_replicas_in_sync:
        raise UserError(
            f"--batch_size={config.batch_size} can't be shared by {strategy.num_replicas_in_sync} devices; "
            "use a multiple"
        )
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    precision = select_precision(config.precision)
    keras.utils.set_random_seed(config.seed)
    trainer, run = _build(config, shards, strategy, precision)
    require_resumable(run)
    write_run(run)
    if trainer.resume():
        _LOG.info("resumed from %s after epoch %d", config.workdir, trainer.next_epoch)
    _LOG.info(
        "%s/%s, %s parameters, %d device(s), %s, %d train clips, %d steps an epoch",
        config.region,
        config.head,
        f"{run.parameters['total']:,}",
        strategy.num_replicas_in_sync,
        precision,
        shards.num_clips,
        trainer.config.steps_per_epoch,
    )
    _fit(trainer, config, shards, start_progress)


def _build(
    config: TrainConfig, shards: Shards, strategy: tf.distribute.Strategy, precision: str
) -> tuple[Trainer, Run]:
    spec = shards.spec
    with strategy.scope():
        model = build_detector(
            config.backbone,
            config.head,
            spec.num_frames,
            spec.frame_size,
            config.weights,
            lstm_units=config.lstm_units,
            dropout=config.dropout,
        )
        optimizer = keras.optimizers.AdamW(config.learning_rate)
        if precision == "mixed_float16":
            # Small gradients vanish in float16; scaling the loss keeps them.
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    loop = LoopConfig(
        workdir=Path(config.workdir),
        epochs=config.epochs,
        patience=config.patience,
        batch_size=config.batch_size,
        steps_per_epoch=max(1, shards.num_clips // config.batch_size),
    )
    run = Run(config, spec.to_dict(), spec.hash, count_parameters(model), package_versions())
    return Trainer(model, optimizer, strategy, loop), run


def _fit(trainer: Trainer, config: TrainConfig, shards: Shards, start_progress: StartProgress) -> None:
    training = load_clips(
        config.data,
        config.region,
        "train",
        config.batch_size,
        shuffle=True,
        augment=config.augment,
        seed=config.seed,
        num_epochs=None,
        first_epoch=trainer.next_epoch,
        drop_remainder=True,
    ).map(lambda features, label: (features["frames"], label))
    validation = load_clips(config.data, config.region, "val", config.batch_size)
    files = shards.files + find_shards(config.data, config.region, "val").files
    steps = (config.epochs - trainer.next_epoch) * trainer.config.steps_per_epoch
    with explained_data_loss(files), start_progress(steps) as on_step:
        trainer.fit(training, validation, on_step)
