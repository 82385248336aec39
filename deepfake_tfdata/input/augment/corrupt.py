"""A clip corrupted at a fixed strength, by the operations that augment clips at drawn ones."""

from collections.abc import Callable

import tensorflow as tf

from deepfake_tfdata.input.augment.common import clip_seed
from deepfake_tfdata.input.augment.compression import encode_as_video
from deepfake_tfdata.input.augment.picture import add_noise, blur_by, shrink_and_enlarge
from deepfake_tfdata.input.augment.temporal import lose_frames
from deepfake_tfdata.input.corruptions import CORRUPTIONS, Corruption

# By the names of CORRUPTIONS: from frames uint8 [T, H, W, 3], a strength and a seed int32 [2] to such frames.
AT_STRENGTH: dict[str, Callable[[tf.Tensor, float, tf.Tensor], tf.Tensor]] = {
    "codec": lambda frames, strength, _: encode_as_video(frames, strength),
    "blur": lambda frames, strength, _: blur_by(frames, strength),
    "noise": add_noise,
    "resize": lambda frames, strength, _: shrink_and_enlarge(frames, strength),
    "frame_drop": lose_frames,
}


def corrupt_clip(
    frames: tf.Tensor, corruption: Corruption | None, clip_id: tf.Tensor, seed: int = 0
) -> tf.Tensor:
    """A clip as a corruption leaves it, the same every time.

    Args:
        frames: uint8 [T, H, W, 3].
        corruption: one that `require_corruption` takes; None changes nothing.
        clip_id: string scalar; with the seed it decides what is random.
        seed: of the run that asks.

    Returns:
        uint8 [T, H, W, 3].
    """
    if corruption is None or corruption[1] == CORRUPTIONS[corruption[0]].neutral:
        return frames
    name, strength = corruption
    corrupted = AT_STRENGTH[name](frames, strength, clip_seed(seed, tf.constant(0), clip_id))
    return tf.ensure_shape(corrupted, frames.shape)
