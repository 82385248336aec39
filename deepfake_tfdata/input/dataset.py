"""The pipeline: which clips a batch has, read, parse, decode, augment, batch, prefetch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from deepfake_tfdata.clips.views import require_view
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.batch_order import BatchOrder, HostShare, build_sampler
from deepfake_tfdata.input.clip_loader import clip_loader
from deepfake_tfdata.input.clip_selection import select_clips
from deepfake_tfdata.input.corruptions import Corruption, require_corruption
from deepfake_tfdata.input.options import InputOptions, parse_augmentations
from deepfake_tfdata.input.padding import FrameShapes, ShapeChoice, batches_at_once
from deepfake_tfdata.input.reading import RecordReader
from deepfake_tfdata.input.service import distribute
from deepfake_tfdata.input.shards import Shards
from deepfake_tfdata.pixels import FRAMES, view_name

# Batches ready ahead of the device. A batch of clips is large: more would only fill the memory, and left to
# itself tf.data keeps as many as half the machine's memory holds.
_PREFETCHED_BATCHES = 2


def load_clips(
    data: str | Path | Shards,
    region: str | Sequence[str] = "",
    split: str = "",
    batch_size: int = InputOptions.batch_size,
    *,
    shuffle: bool = False,
    augment: str | Sequence[str] = "none",
    balance: str = "none",
    pairs: bool = False,
    seed: int = 0,
    num_epochs: int | None = 1,
    first_epoch: int = 0,
    first_step: int = 0,
    drop_remainder: bool = False,
    share: HostShare | None = None,
    frame_size: int = 0,
    view: str = InputOptions.view,
    corruption: Corruption | None = None,
    shapes: ShapeChoice = "many",
    skip_corrupt: bool = False,
    cache_dir: str = "",
    fold: str = "",
    data_service: str = "",
) -> tf.data.Dataset:
    """Loads clips of one region, or of several side by side, in batches.

    As it is called by default it serves evaluation: in order, complete, each clip once. For training pass
    `shuffle=True, augment="default", num_epochs=None, drop_remainder=True`. The same seed gives the same
    batches on any machine and for any region, and starting at (first_epoch, first_step) gives those that
    would have followed there.

    Args:
        data: the folder of records, as `convert` wrote it; or what `select_clips` found, which then decides
            region, split, cache_dir, skip_corrupt and fold.
        region: such as 'mouth', or several: 'full,eyes,mouth'.
        split: train, val or test.
        batch_size: clips a batch.
        shuffle: all clips of the split, anew every epoch.
        augment: 'none', 'default', 'all', or names of `options.AUGMENTATIONS`; alike for every frame and
            region of a clip. Only frames and views change; frame_indices, timestamps, boxes and face_found
            stay.
        balance: how often classes and manipulation methods are drawn, see `build_sampler`; with `shuffle`.
        pairs: a fake and its original stand side by side in a batch; with `shuffle`.
        seed: of shuffling and augmentation.
        num_epochs: None never ends.
        first_epoch, first_step: where to begin; what is skipped is not read.
        drop_remainder: leave the last, smaller batch of an epoch out.
        share: for several hosts or replicas: the steps' clips are those of a single host, divided among them.
            A step is one batch if None.
        frame_size: side of what a detector will make of native frames; as at the conversion if 0.
        view: what is seen of native frames, such as 'mouth'; see `clips.views`. All of the region if ''.
        corruption: of every clip before all else, such as ('codec', 40), always alike; see
            `corruptions.CORRUPTIONS`.
        shapes: how many native batches may have: 'many', 'few' for XLA, or 'one' for TPUs; see `FrameShapes`.
        skip_corrupt: read all records first and leave out the damaged ones.
        cache_dir: local folder for copies of shards from object storage.
        fold: such as 2/5: the split is that of a fold of a grouped cross-validation, see `folds`.
        data_service: address of a tf.data service that does the work, such as 'grpc://host:5050'; batches
            then come in the order in which its workers finish them.

    Returns:
        Batches of ({"frames": uint8 [B, T, H, W, 3], "clip_id": string [B], ...}, label int64 [B]); beside
        the frames stand all features of `parse_example` but the label. Native frames are padded with zeros at
        the right and the bottom, and "view", float32 [B, 16], says how a detector is to look at them. With
        several regions frames, boxes, height, width and view are each a dict by region.

    Raises:
        UserError: no such records, augmentation or view, records that don't hold the view, a shard that is
            missing or cut off, or a batch larger than the split.
        tf.errors.DataLossError: while the batches are read, a damaged record; inside `with
            explained_damage(shards):` it becomes a UserError with its shard and place.
    """
    if isinstance(data, Shards):
        shards = data
    else:
        shards = select_clips(data, region, split, cache_dir, skip_corrupt, fold)
    names = parse_augmentations(augment)
    require_view(view, shards.regions, shards.spec)
    if corruption:
        require_corruption(corruption)
    order = _batch_order(shards, batch_size, shuffle, balance, pairs, seed, drop_remainder, share)
    frame_shapes = FrameShapes(shards, shapes)
    reader = RecordReader(shards)
    batches_made, clips_made = batches_at_once(batch_size * frame_shapes.largest_clip)

    # No tensor decides what Python does here or below; AutoGraph takes a second to rewrite it to the same.
    @tf.autograph.experimental.do_not_convert
    def load_batch(number: tf.Tensor) -> tuple[dict[str, Any], tf.Tensor]:
        epoch, rows, turns = order.batch(number)
        load_clip = clip_loader(
            shards, names, view, corruption, seed, epoch, frame_size or shards.spec.frame_size
        )
        clips = tf.data.Dataset.from_tensor_slices(rows).flat_map(reader.read)
        # A shard that is cut off between two records while it is read would only give a short batch.
        clips = clips.apply(tf.data.experimental.assert_cardinality(tf.size(rows, tf.int64)))
        # One clip after another, unless there are more cores than batches.
        clips = tf.data.Dataset.zip((tf.data.Dataset.from_tensor_slices((rows, turns)), clips))
        clips = clips.map(load_clip, num_parallel_calls=clips_made if clips_made > 1 else None)
        return _batch(clips, batch_size, frame_shapes, frame_shapes.of(rows), drop_remainder)

    # Numbers first: whatever follows depends on nothing else, so that a data service may divide them.
    numbers = tf.data.Dataset.range(*order.numbers(num_epochs, first_epoch, first_step))
    # Batches are made side by side and come out in order, as many as can wait: an interleave would prefetch
    # more on top.
    batches = numbers.map(load_batch, num_parallel_calls=batches_made)
    if data_service:
        batches = distribute(batches, data_service)
    return batches.prefetch(_PREFETCHED_BATCHES).with_options(_options())


def clip_ids_of_step(
    shards: Shards,
    step_size: int,
    *,
    seed: int,
    epoch: int,
    step: int,
    balance: str = "none",
    pairs: bool = False,
) -> list[str]:
    """The clips of one training step, in the order that `load_clips` gives them with the same arguments."""
    order = _batch_order(shards, step_size, True, balance, pairs, seed, True, None)
    _, rows, _ = order.batch(tf.constant(order.numbers(1, epoch, step)[0], tf.int64))
    return [shards.clips[0][row].clip_id for row in rows.numpy()]


def detector_inputs(features: dict[str, Any]) -> Any:
    """What a detector takes of a batch's features: the frames, by region if there are several; with native
    frames a dict of these and of the views.
    """
    frames = features["frames"]
    if "view" not in features:
        return frames
    if not isinstance(frames, dict):
        return {FRAMES: frames, view_name(FRAMES): features["view"]}
    return {**frames, **{view_name(region): view for region, view in features["view"].items()}}


def _batch_order(
    shards: Shards,
    batch_size: int,
    shuffle: bool,
    balance: str,
    pairs: bool,
    seed: int,
    drop_remainder: bool,
    share: HostShare | None,
) -> BatchOrder:
    InputOptions(batch_size=batch_size)  # refuses less than one
    share = share or HostShare(0, 1, batch_size)
    if drop_remainder and share.step_size > shards.num_clips:
        raise UserError(
            f"--batch_size={share.step_size} exceeds the {shards.num_clips} clips of {shards.split}; use less"
        )
    if not shuffle and (pairs or balance != "none"):
        raise UserError("--balance and --pairs draw clips at random; they need shuffle=True")
    sampler = build_sampler(shards.clips[0], balance, pairs) if shuffle else None
    return BatchOrder(shards.num_clips, batch_size, drop_remainder, share, sampler, seed)


def _batch(
    clips: tf.data.Dataset,
    batch_size: int,
    shapes: FrameShapes,
    frame_shapes: Sequence[tf.Tensor],
    drop_remainder: bool,
) -> tuple[dict[str, Any], tf.Tensor]:
    """The batch of some clips of any size, their frames padded to one shape a region."""
    features, label = clips.element_spec
    padded = tf.nest.map_structure(lambda spec: spec.shape, features)
    padded["frames"] = shapes.by_region(frame_shapes)
    # It copies every clip once, to its place; padding a clip by itself first takes twice as long.
    features, labels = clips.padded_batch(batch_size, (padded, label.shape)).get_single_element()
    size = batch_size if drop_remainder else None
    known = tf.nest.map_structure(lambda spec: spec.shape, clips.element_spec[0])
    known["frames"] = shapes.by_region(shapes.known)
    features = tf.nest.map_structure(
        lambda value, shape: tf.ensure_shape(value, [size, *shape]), features, known
    )
    return features, tf.ensure_shape(labels, [size])


def _options() -> tf.data.Options:
    """What is set, and why, and what is left alone.

    Left alone: the fusion of stages and the thread pool, where nothing else measured better; autotuning,
    which has nothing to decide, since every parallelism and every buffer has a number; slack and injected
    prefetches, which would hold more batches than the bound says.
    """
    options = tf.data.Options()
    # The order is part of the result: resuming and comparing runs depend on it.
    options.deterministic = True
    # Sharding among hosts is ours to decide; the automatic policy re-reads and drops by file.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return options
