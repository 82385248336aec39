"""What a run reads: its splits, and the batches of each replica."""

import dataclasses

import tensorflow as tf

from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.dataset import clip_ids_of_step, detector_inputs, load_clips
from deepfake_tfdata.input.sampling import HostShare
from deepfake_tfdata.input.selection import select_clips
from deepfake_tfdata.input.shards import Shards
from deepfake_tfdata.training.config import TrainConfig
from deepfake_tfdata.training.features import FeatureSplit
from deepfake_tfdata.training.workers import Workers


def find_split(config: TrainConfig, split: str) -> Shards:
    """The shards of a split as a run reads them: from local copies, and without damaged clips, if so asked.

    Args:
        config: of the run.
        split: train, val or test.

    Raises:
        UserError: as find_shards.
    """
    return select_clips(config.data, config.region, split, config.cache_dir, config.skip_corrupt)


def find_splits(config: TrainConfig) -> dict[str, Shards]:
    """All splits by name."""
    return {split: find_split(config, split) for split in SPLITS}


def frame_size(config: TrainConfig, shards: Shards) -> int:
    """Side of the frames that the detector sees, pixels."""
    return config.frame_size or shards.spec.frame_size


def load_in_order(config: TrainConfig, shards: Shards) -> tf.data.Dataset:
    """A split's batches for scoring: in order, each clip once."""
    return load_clips(
        shards,
        batch_size=config.batch_size,
        frame_size=frame_size(config, shards),
        one_shape=needs_one_shape(config),
    )


def load_validation(config: TrainConfig, shards: Shards, workers: Workers) -> tf.data.Dataset:
    """This worker's batches of the validation: every count-th clip, so that each is scored once.

    Raises:
        UserError: there are more workers than clips.
    """
    if workers.count == 1:
        return load_in_order(config, shards)
    if shards.num_clips < workers.count:
        raise UserError(f"{shards.num_clips} val clips are too few for {workers.count} workers; use fewer")
    share = shards.only(range(workers.index, shards.num_clips, workers.count))
    batch_size = config.batch_size // workers.count
    return load_in_order(dataclasses.replace(config, batch_size=batch_size), share)


def needs_one_shape(config: TrainConfig) -> bool:
    """Whether the run's programs are compiled for the shapes of their inputs."""
    return config.jit_compile or config.strategy == "tpu"


def load_replica_batches(
    context: tf.distribute.InputContext,
    config: TrainConfig,
    shards: Shards,
    first_epoch: int,
    first_step: int,
) -> tf.data.Dataset:
    """This host's part of every step, a batch a replica."""
    batches = load_clips(
        shards,
        batch_size=context.get_per_replica_batch_size(config.batch_size),
        shuffle=True,
        augment=config.augment,
        balance=config.balance,
        pairs=config.pairs,
        seed=config.seed,
        num_epochs=None,
        first_epoch=first_epoch,
        first_step=first_step,
        drop_remainder=True,
        share=_host_share(context, config),
        frame_size=frame_size(config, shards),
        one_shape=needs_one_shape(config),
        data_service=config.data_service,
    )
    return batches.map(lambda features, label: (detector_inputs(features), label))


def feature_batches(
    context: tf.distribute.InputContext,
    features: FeatureSplit,
    config: TrainConfig,
    first_epoch: int,
    first_step: int,
) -> tf.data.Dataset:
    """This host's part of every step, a batch a replica, of kept features."""
    return features.batches(
        context.get_per_replica_batch_size(config.batch_size),
        seed=config.seed,
        first_epoch=first_epoch,
        first_step=first_step,
        share=_host_share(context, config),
    )


def clip_ids(epoch: int, step: int, config: TrainConfig, shards: Shards) -> list[str]:
    """The clips of a step, as far as they can be told."""
    if config.cache_features or config.data_service:
        return []  # these are in an order of their own
    return clip_ids_of_step(
        shards,
        config.batch_size,
        seed=config.seed,
        epoch=epoch,
        step=step,
        balance=config.balance,
        pairs=config.pairs,
    )


def _host_share(context: tf.distribute.InputContext, config: TrainConfig) -> HostShare:
    return HostShare(context.input_pipeline_id, context.num_input_pipelines, config.batch_size)
