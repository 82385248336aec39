"""The pipeline: read, join regions, shuffle, skip, parse, decode, augment, batch, prefetch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.augment import augment_clip, clip_seed, parse_augmentations
from deepfake_tfdata.input.shards import Shards, find_shards
from deepfake_tfdata.records.example import parse_example

# Clips drawn from at a time; serialized, at about 0.6 MB a region for 32 frames of 224 pixels.
_SHUFFLE_BUFFER = 1024
# Enough open files to hide a disk's or a bucket's latency.
_PARALLEL_FILES = 16
# Batches ready ahead of the device. A batch of clips is large: more would only fill the memory.
_PREFETCHED_BATCHES = 2
_DECODERS = {"jpeg": tf.io.decode_jpeg, "png": tf.io.decode_png}
# What differs between a clip's regions.
_PER_REGION = ("frames", "boxes", "height", "width")


@dataclass(frozen=True)
class HostShare:
    """Which part of every training step this host loads.

    Attributes:
        index: of this host, from 0.
        count: how many hosts load.
        step_size: clips a step takes over all hosts and replicas; an epoch is cut to whole steps.
    """

    index: int
    count: int
    step_size: int


def load_clips(
    data: str | Path,
    region: str | Sequence[str],
    split: str,
    batch_size: int,
    *,
    shuffle: bool = False,
    augment: str | Sequence[str] = "none",
    seed: int = 0,
    num_epochs: int | None = 1,
    first_epoch: int = 0,
    first_step: int = 0,
    drop_remainder: bool = False,
    share: HostShare | None = None,
) -> tf.data.Dataset:
    """Loads clips of one region, or of several side by side, in batches.

    As it is called by default it serves evaluation: in order, complete, each clip once. For training pass
    `shuffle=True, augment="default", num_epochs=None, drop_remainder=True`. The same seed gives the same
    batches on any machine and for any region, and starting at (first_epoch, first_step) gives those that
    would have followed there.

    Args:
        data: the folder of records, as `convert` wrote it.
        region: such as 'mouth', or several: 'full,eyes,mouth'.
        split: train, val or test.
        batch_size: clips a batch.
        shuffle: files and serialized records, anew every epoch.
        augment: 'none', 'default', 'all', or names of AUGMENTATIONS; alike for every frame and region of a
            clip. Only frames change: frame_indices, timestamps, boxes and face_found stay as recorded.
        seed: of shuffling and augmentation.
        num_epochs: None never ends.
        first_epoch, first_step: where to begin; what is skipped is not decoded.
        drop_remainder: leave the last, smaller batch of an epoch out.
        share: for several hosts or replicas: the steps' clips are those of a single host, divided among them.
            A step is one batch if None.

    Returns:
        Batches of ({"frames": uint8 [B, T, H, W, 3], "clip_id": string [B], ...}, label int64 [B]); beside
        the frames stand all features of `parse_example` but the label. With several regions the frames,
        boxes, height and width are each a dict by region.

    Raises:
        UserError: no such records or augmentation, a damaged shard, or a batch larger than the split.
    """
    shards = find_shards(data, region, split)
    if batch_size < 1:
        raise UserError(f"--batch_size={batch_size} is out of range; use 1 or more")
    share = share or HostShare(0, 1, batch_size)
    if drop_remainder and share.step_size > shards.num_clips:
        raise UserError(
            f"--batch_size={share.step_size} exceeds the {shards.num_clips} clips of {split}; use less"
        )
    decode = _DECODERS[shards.spec.encoding]
    names = parse_augmentations(augment)

    def load_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        def load_clip(*serialized: tf.Tensor) -> tuple[dict[str, Any], tf.Tensor]:
            clips = [parse_example(region, shards.spec.num_frames) for region in serialized]
            clip_id = clips[0]["clip_id"]
            clips = [_decoded(clip, clip_id, shards.spec, decode) for clip in clips]
            if names:
                seed_of_clip = clip_seed(seed, epoch, clip_id)
                for clip in clips:
                    clip["frames"] = augment_clip(clip["frames"], seed_of_clip, names)
            features = _side_by_side(shards.regions, clips)
            return features, features.pop("label")

        records = _ordered_records(shards, epoch, seed) if shuffle else _zipped(tf.transpose(shards.rows()))
        if drop_remainder:
            records = records.take(shards.num_clips // share.step_size * share.step_size)
        already_seen = tf.where(epoch == first_epoch, tf.constant(first_step * share.step_size, tf.int64), 0)
        records = records.skip(already_seen).shard(share.count, share.index)
        clips = records.map(load_clip, num_parallel_calls=tf.data.AUTOTUNE)
        return clips.batch(batch_size, drop_remainder=drop_remainder)

    end = tf.int64.max if num_epochs is None else first_epoch + num_epochs
    # Epochs follow one another inside one pipeline, so the device does not wait at their borders.
    clips = tf.data.Dataset.range(first_epoch, end).flat_map(load_epoch)
    return clips.prefetch(_PREFETCHED_BATCHES).with_options(_options())


def clip_ids_of_step(
    data: str | Path, region: str | Sequence[str], step_size: int, *, seed: int, epoch: int, step: int
) -> list[str]:
    """The clips of one training step, in the order that `load_clips` gives them with the same arguments."""
    shards = find_shards(data, region, "train")
    records = tf.data.Dataset.from_tensors(tf.constant(epoch, tf.int64)).flat_map(
        lambda epoch: _ordered_records(shards, epoch, seed)
    )
    ids = (
        records.skip(step * step_size)
        .take(step_size)
        .with_options(_options())
        .map(lambda serialized, *_: parse_example(serialized, shards.spec.num_frames)["clip_id"])
    )
    return [clip_id.decode() for clip_id in ids.as_numpy_iterator()]


def _ordered_records(shards: Shards, epoch: tf.Tensor, seed: int) -> tf.data.Dataset:
    """An epoch's records as `_zipped` gives them, shuffled; to be called inside a dataset function."""
    # Inside one this sets the function's own seed. The program's global one, which TensorFlow mixes into
    # every shuffle, then no longer decides the order.
    tf.random.set_seed(1)
    epoch_seed = seed * 1_000_003 + epoch
    rows = shards.rows()
    files = tf.data.Dataset.from_tensor_slices(rows).shuffle(len(rows), epoch_seed)
    records = files.interleave(
        _zipped, cycle_length=min(_PARALLEL_FILES, len(rows)), num_parallel_calls=tf.data.AUTOTUNE
    )
    # Serialized records are shuffled, not decoded clips, which are ten times as large.
    return records.shuffle(min(_SHUFFLE_BUFFER, shards.num_clips), epoch_seed)


def _zipped(files: tf.Tensor) -> tf.data.Dataset:
    """Serialized records, each a tuple of R, from files [R] or [R, N], where R regions have N shards."""
    return tf.data.Dataset.zip(tuple(tf.data.TFRecordDataset(region) for region in tf.unstack(files)))


def _decoded(
    features: dict[str, tf.Tensor], clip_id: tf.Tensor, spec: ClipSpec, decode: Callable[..., tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Decodes the T images of a clip and checks that it is the expected one, made with its folder's spec."""
    # One op an image, so that TensorFlow's threads share a clip; map_fn would decode one after another.
    images = [decode(image, channels=3) for image in tf.unstack(features["frames"])]
    same_clip = tf.debugging.Assert(
        features["clip_id"] == clip_id,
        ["regions have different clips,", clip_id, "and", features["clip_id"], "; convert them together"],
    )
    same_spec = tf.debugging.Assert(
        features["spec_hash"] == spec.hash,
        ["record", features["clip_id"], "has spec", features["spec_hash"], "and its folder", spec.hash],
    )
    with tf.control_dependencies([same_clip, same_spec]):
        frames = tf.ensure_shape(tf.stack(images), [spec.num_frames, spec.frame_size, spec.frame_size, 3])
    return {**features, "frames": frames}


def _side_by_side(regions: Sequence[str], clips: Sequence[dict[str, tf.Tensor]]) -> dict[str, Any]:
    """One clip of all its regions; a single region's is as it was."""
    if len(clips) == 1:
        return clips[0]
    by_region = {
        name: {r: clip[name] for r, clip in zip(regions, clips, strict=True)} for name in _PER_REGION
    }
    return {**clips[0], **by_region}


def _options() -> tf.data.Options:
    options = tf.data.Options()
    # The order is part of the result: resuming and comparing runs depend on it.
    options.deterministic = True
    # Sharding among hosts is ours to decide; the automatic policy re-reads and drops by file.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return options
