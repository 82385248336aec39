"""The batches of a run: what each replica trains on, and what each worker validates on."""

import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.batch_order import HostShare
from deepfake_tfdata.input.batches import load_for_training, load_in_order
from deepfake_tfdata.input.dataset import detector_inputs
from deepfake_tfdata.input.padding import ShapeChoice
from deepfake_tfdata.input.shards import Shards
from deepfake_tfdata.training.config import TrainConfig
from deepfake_tfdata.training.feature_cache import FeatureSplit
from deepfake_tfdata.training.workers import Workers


def frame_batches(
    context: tf.distribute.InputContext,
    config: TrainConfig,
    shards: Shards,
    first_epoch: int,
    first_step: int,
) -> tf.data.Dataset:
    """This host's part of every step, a batch a replica."""
    batches = load_for_training(
        config.input,
        shards,
        _host_share(context, config),
        context.get_per_replica_batch_size(config.input.batch_size),
        seed=config.devices.seed,
        first_epoch=first_epoch,
        first_step=first_step,
        shapes=batch_shapes(config),
    )
    return batches.map(lambda features, label: (detector_inputs(features), label))


def feature_batches(
    context: tf.distribute.InputContext,
    config: TrainConfig,
    features: FeatureSplit,
    first_epoch: int,
    first_step: int,
) -> tf.data.Dataset:
    """This host's part of every step, a batch a replica, of kept features."""
    return features.batches(
        context.get_per_replica_batch_size(config.input.batch_size),
        seed=config.devices.seed,
        first_epoch=first_epoch,
        first_step=first_step,
        share=_host_share(context, config),
    )


def load_validation(config: TrainConfig, shards: Shards, workers: Workers) -> tf.data.Dataset:
    """This worker's batches of the validation: every count-th clip, so that each is scored once.

    Raises:
        UserError: there are more workers than clips.
    """
    if shards.num_clips < workers.count:
        raise UserError(f"{shards.num_clips} val clips are too few for {workers.count} workers; use fewer")
    return load_in_order(
        config.input,
        shards.only(range(workers.index, shards.num_clips, workers.count)),
        batch_size=config.input.batch_size // workers.count,
        shapes=batch_shapes(config),
    )


def batch_shapes(config: TrainConfig) -> ShapeChoice:
    """How many shapes the run's batches may have; a program is compiled for each where it is compiled."""
    if config.devices.strategy == "tpu":
        return "one"
    return "few" if config.step.jit_compile else "many"


def _host_share(context: tf.distribute.InputContext, config: TrainConfig) -> HostShare:
    return HostShare(context.input_pipeline_id, context.num_input_pipelines, config.input.batch_size)
