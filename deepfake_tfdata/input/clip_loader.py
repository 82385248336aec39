"""One clip of its records: parsed, decoded, corrupted, augmented, and how it is to be looked at."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.input.augment import augment_clip, augment_native_clip, clip_seed, corrupt_clip
from deepfake_tfdata.input.corruptions import Corruption
from deepfake_tfdata.input.shards import Shards
from deepfake_tfdata.input.views import view_of
from deepfake_tfdata.records.example import decode_frames, parse_example

# What differs between a clip's regions.
_PER_REGION = ("frames", "boxes", "height", "width", "view")


def clip_loader(
    shards: Shards,
    names: Sequence[str],
    view: str,
    corruption: Corruption | None,
    seed: int,
    epoch: tf.Tensor,
    frame_size: int,
) -> Callable[..., tuple[dict[str, Any], tf.Tensor]]:
    """What makes a clip of its records.

    Args:
        shards: that the records are of.
        names: of augmentations.
        view, corruption: as in `load_clips`.
        seed: of augmentation and corruption.
        epoch: int64 scalar.
        frame_size: side of what a detector makes of native frames, pixels.

    Returns:
        A function from a clip's position, turn and serialized Examples, one a region, to its features and
        label.
    """
    clip_ids = tf.constant([clip.clip_id for clip in shards.clips[0]])

    def load_clip(
        place: tuple[tf.Tensor, tf.Tensor], serialized: tuple[tf.Tensor, ...]
    ) -> tuple[dict[str, Any], tf.Tensor]:
        row, turn = place
        clip_id = tf.gather(clip_ids, row)
        clips = [parse_example(region, shards.spec.num_frames) for region in serialized]
        clips = [_decoded(clip, clip_id, shards.spec) for clip in clips]
        # A clip that comes again in the same epoch is changed in another way.
        seed_of_clip = tf.random.fold_in(clip_seed(seed, epoch, clip_id), tf.cast(turn, tf.int32))
        for region, clip in zip(shards.regions, clips, strict=True):
            clip["frames"] = corrupt_clip(clip["frames"], corruption, clip_id, seed)
            if shards.is_native:
                seen = view_of(clip["height"], clip["width"], view, region, shards.spec, frame_size)
                clip["frames"], clip["view"] = augment_native_clip(clip["frames"], seen, seed_of_clip, names)
            else:
                clip["frames"] = augment_clip(clip["frames"], seed_of_clip, names)
        features = _side_by_side(shards.regions, clips)
        return features, features.pop("label")

    return load_clip


def _decoded(features: dict[str, tf.Tensor], clip_id: tf.Tensor, spec: ClipSpec) -> dict[str, tf.Tensor]:
    """Decodes the T images of a clip and checks that it is the expected one, made with its folder's spec."""
    same_clip = tf.debugging.Assert(
        features["clip_id"] == clip_id,
        ["clip", features["clip_id"], "is where the index has", clip_id, "; convert again into a new folder"],
    )
    same_spec = tf.debugging.Assert(
        features["spec_hash"] == spec.hash,
        ["record", features["clip_id"], "has spec", features["spec_hash"], "and its folder", spec.hash],
    )
    with tf.control_dependencies([same_clip, same_spec]):
        frames = decode_frames(
            features["frames"], spec.encoding, spec.num_frames, features["height"], features["width"]
        )
    side = None if spec.geometry == "native" else spec.frame_size
    return {**features, "frames": tf.ensure_shape(frames, [spec.num_frames, side, side, 3])}


def _side_by_side(regions: Sequence[str], clips: Sequence[dict[str, tf.Tensor]]) -> dict[str, Any]:
    """One clip of all its regions; a single region's is as it was."""
    if len(clips) == 1:
        return clips[0]
    by_region = {
        name: {r: clip[name] for r, clip in zip(regions, clips, strict=True)}
        for name in _PER_REGION
        if name in clips[0]
    }
    return {**clips[0], **by_region}
