"""The batches that options ask for: of training, resumable and shared by hosts; of scoring, in order."""

from dataclasses import replace

import tensorflow as tf

from deepfake_tfdata.clips.views import require_view
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.batch_order import HostShare
from deepfake_tfdata.input.clip_selection import select_clips
from deepfake_tfdata.input.corruptions import Corruption
from deepfake_tfdata.input.dataset import clip_ids_of_step, load_clips
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.input.padding import ShapeChoice
from deepfake_tfdata.input.set_aside import CALIBRATION
from deepfake_tfdata.input.shards import Shards


def find_split(options: InputOptions, split: str) -> Shards:
    """The clips of a split, of POOL or of CALIBRATION; of a fold, local, without damaged ones, if so asked.

    Raises:
        UserError: as find_shards, or the records don't hold what is to be seen of them.
    """
    shards = select_clips(
        options.data,
        options.region,
        split,
        options.cache_dir,
        options.skip_corrupt,
        options.fold,
        options.calibration,
    )
    require_view(options.view, shards.regions, shards.spec)
    return shards


def why_nobody_is_set_aside(options: InputOptions) -> str:
    """Why nobody of the validation is left for a calibration, in words; '' where somebody is."""
    try:
        find_split(replace(options, skip_corrupt=False, cache_dir=""), CALIBRATION)
    except UserError as error:
        return str(error)
    return ""


def frame_size(options: InputOptions, shards: Shards) -> int:
    """Side of the frames that the detector sees, pixels."""
    return options.frame_size or shards.spec.frame_size


def load_in_order(
    options: InputOptions,
    shards: Shards,
    *,
    batch_size: int = 0,
    shapes: ShapeChoice = "many",
    corruption: Corruption | None = None,
) -> tf.data.Dataset:
    """A split's batches for scoring: in order, each clip once.

    Args:
        options, shards: what to read.
        batch_size: where it is another one than the options'.
        shapes: how many they may have; see `FrameShapes`.
        corruption: of every clip, such as ('codec', 40).
    """
    return load_clips(
        shards,
        batch_size=batch_size or options.batch_size,
        frame_size=frame_size(options, shards),
        view=options.view,
        corruption=corruption,
        shapes=shapes,
    )


def load_for_training(
    options: InputOptions,
    shards: Shards,
    share: HostShare,
    batch_size: int,
    *,
    seed: int,
    first_epoch: int,
    first_step: int,
    shapes: ShapeChoice,
) -> tf.data.Dataset:
    """A host's endless batches, augmented and in random order, from a step on.

    Args:
        options, shards: what to read, and how to change it.
        share: which part of every step is this host's.
        batch_size: of one batch; a step may have several.
        seed: of order and augmentation.
        first_epoch, first_step: where to begin.
        shapes: as in `load_in_order`.
    """
    return load_clips(
        shards,
        batch_size=batch_size,
        shuffle=True,
        augment=options.augment,
        balance=options.balance,
        pairs=options.pairs,
        seed=seed,
        num_epochs=None,
        first_epoch=first_epoch,
        first_step=first_step,
        drop_remainder=True,
        share=share,
        frame_size=frame_size(options, shards),
        view=options.view,
        shapes=shapes,
        data_service=options.data_service,
    )


def clip_ids(options: InputOptions, shards: Shards, *, seed: int, epoch: int, step: int) -> list[str]:
    """The clips of a step of `load_for_training` over all hosts; none where a service decides their order."""
    if options.data_service:
        return []
    return clip_ids_of_step(
        shards,
        options.batch_size,
        seed=seed,
        epoch=epoch,
        step=step,
        balance=options.balance,
        pairs=options.pairs,
    )
