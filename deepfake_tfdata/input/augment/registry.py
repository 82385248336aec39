"""The augmentations by name, and how a clip goes through those that are asked for."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.augment.common import uniform
from deepfake_tfdata.input.augment.compression import codec, jpeg
from deepfake_tfdata.input.augment.picture import blur, cutout, downscale, noise
from deepfake_tfdata.input.augment.temporal import frame_drop, reverse
from deepfake_tfdata.input.augment.view import colour, flip


@dataclass(frozen=True)
class Augmentation:
    """An operation and how often it is applied.

    Attributes:
        apply: from frames uint8 [T, H, W, 3] and a seed int32 [2] to frames of the same shape. It draws its
            strength from the seed alone and treats every frame alike.
        probability: that a clip goes through it.
    """

    apply: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    probability: float


# At 0.2 each, a third of the clips escapes all five losses of quality, so that the detector still learns from
# the finest traces, too.
_LOSSY = 0.2
# In the order in which a clip goes through them, that of a video's life: it is filmed, made smaller,
# compressed, sent, and looked at.
AUGMENTATIONS: dict[str, Augmentation] = {
    "reverse": Augmentation(reverse, 0.5),
    "blur": Augmentation(blur, _LOSSY),
    "noise": Augmentation(noise, _LOSSY),
    "downscale": Augmentation(downscale, _LOSSY),
    "codec": Augmentation(codec, _LOSSY),
    "jpeg": Augmentation(jpeg, _LOSSY),
    "frame_drop": Augmentation(frame_drop, _LOSSY),
    "cutout": Augmentation(cutout, _LOSSY),
    "flip": Augmentation(flip, 0.5),
    "colour": Augmentation(colour, 1.0),
}
_PRESETS = {"default": ("flip", "colour"), "none": (), "all": tuple(AUGMENTATIONS)}


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
    for name, augmentation in AUGMENTATIONS.items():
        if name in names:
            # Keyed by name: its place in the table doesn't matter.
            frames = _sometimes(augmentation, frames, tf.random.fold_in(seed, zlib.crc32(name.encode()) >> 1))
    return frames


def _sometimes(augmentation: Augmentation, frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    chance_seed, own_seed = tf.unstack(tf.random.split(seed, 2))
    augmented = tf.cond(
        uniform(chance_seed, (0.0, 1.0)) < augmentation.probability,
        lambda: augmentation.apply(frames, own_seed),
        lambda: frames,
    )
    return tf.ensure_shape(augmented, frames.shape)


def parse_augmentations(text: str | Sequence[str]) -> tuple[str, ...]:
    """The names that the value of `--augment` stands for, in the order of their application.

    Args:
        text: 'default' (flip, colour), 'none', 'all', or names with commas between; or a sequence of names.

    Raises:
        UserError: it names what is unknown and lists what is known.
    """
    if isinstance(text, str) and text in _PRESETS:
        return _PRESETS[text]
    chosen = text.split(",") if isinstance(text, str) else text
    for name in chosen:
        if name not in AUGMENTATIONS:
            raise UserError(
                f"unknown augmentation '{name}'; use {', '.join(_PRESETS)}, "
                f"or a list of {', '.join(AUGMENTATIONS)}"
            )
    return tuple(name for name in AUGMENTATIONS if name in chosen)
