"""The operations of the augmentations, and how a clip goes through those that are asked for."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from deepfake_tfdata.input.augment.common import uniform
from deepfake_tfdata.input.augment.compression import codec, jpeg
from deepfake_tfdata.input.augment.picture import blur, cutout, downscale, noise
from deepfake_tfdata.input.augment.temporal import frame_drop, reverse
from deepfake_tfdata.input.augment.view import colour, colour_view, flip, flip_view, zoom, zoom_view
from deepfake_tfdata.input.options import AUGMENTATIONS

Operation = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Augmentation:
    """An operation and how often it is applied.

    Attributes:
        apply: from frames uint8 [T, H, W, 3] and a seed int32 [2] to frames of the same shape. It draws its
            strength from the seed alone and treats every frame alike.
        probability: that a clip goes through it.
        apply_to_view: the same for native frames, where their view can do it: from a view float32 [9] (see
            `whole_view`) and a seed to a view.
    """

    apply: Operation
    probability: float
    apply_to_view: Operation | None = None


# At 0.2 each, a third of the clips escapes all five losses of quality, so that the detector still learns from
# the finest traces, too.
_LOSSY = 0.2
# By the names that `--augment` takes, which also say in which order a clip goes through them.
OPERATIONS: dict[str, Augmentation] = {
    "reverse": Augmentation(reverse, 0.5),
    "blur": Augmentation(blur, _LOSSY),
    "noise": Augmentation(noise, _LOSSY),
    "downscale": Augmentation(downscale, _LOSSY),
    "codec": Augmentation(codec, _LOSSY),
    "jpeg": Augmentation(jpeg, _LOSSY),
    "frame_drop": Augmentation(frame_drop, _LOSSY),
    "cutout": Augmentation(cutout, _LOSSY),
    "zoom": Augmentation(zoom, 1.0, zoom_view),
    "flip": Augmentation(flip, 0.5, flip_view),
    "colour": Augmentation(colour, 1.0, colour_view),
}


def augment_clip(frames: tf.Tensor, seed: tf.Tensor, names: Sequence[str]) -> tf.Tensor:
    """Takes a clip through augmentations, each with its own probability and its own random numbers.

    Args:
        frames: uint8 [T, H, W, 3]; the sizes may be unknown while a graph is built.
        seed: int32 [2]; the same seed gives the same result, on any number of threads.
        names: of AUGMENTATIONS, in any order. One more or one less doesn't change what the others draw.

    Returns:
        uint8 [T, H, W, 3]. Frame indices, timestamps and boxes that belong to the clip still describe it as
        it was before `reverse`, `frame_drop` and `flip`.
    """
    for name in AUGMENTATIONS:
        if name in names:
            augmentation = OPERATIONS[name]
            frames = _sometimes(augmentation.apply, augmentation.probability, frames, seed, name)
    return frames


def augment_native_clip(
    frames: tf.Tensor, view: tf.Tensor, seed: tf.Tensor, names: Sequence[str]
) -> tuple[tf.Tensor, tf.Tensor]:
    """`augment_clip` for native frames: what their view can do is left to it.

    Args:
        frames, seed, names: as for `augment_clip`, which draws the same numbers.
        view: float32 [9].

    Returns:
        Frames and view.
    """
    for name in AUGMENTATIONS:
        augmentation = OPERATIONS[name]
        if name in names and augmentation.apply_to_view:
            view = _sometimes(augmentation.apply_to_view, augmentation.probability, view, seed, name)
    on_frames = [name for name in names if not OPERATIONS[name].apply_to_view]
    return augment_clip(frames, seed, on_frames), view


def _sometimes(
    apply: Operation, probability: float, value: tf.Tensor, seed: tf.Tensor, name: str
) -> tf.Tensor:
    # Keyed by name: its place in the table doesn't matter.
    chance_seed, own_seed = tf.unstack(
        tf.random.split(tf.random.fold_in(seed, zlib.crc32(name.encode()) >> 1), 2)
    )
    applied = uniform(chance_seed, (0.0, 1.0)) < probability
    augmented = tf.cond(applied, lambda: apply(value, own_seed), lambda: value)
    return tf.ensure_shape(augmented, value.shape)
