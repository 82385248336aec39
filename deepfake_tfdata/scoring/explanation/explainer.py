"""What speaks for fake in a clip: which places of its frames, and which frames.

All of it is about what the backbones see, the network's squares; `scoring.places` says where these lie in
the crops and in the video.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.model.cuts import features_of_maps, last_maps, seen_frames
from deepfake_tfdata.model.detector import weighs_frames, with_attention
from deepfake_tfdata.model.halves import temporal_detector
from deepfake_tfdata.pixels import MID_GREY
from deepfake_tfdata.scoring.kernels import use_fast_kernels

# A gradient reaches a place of the last map divided by their number: float16 would lose the smallest.
_GRADIENT_SCALE = 1024.0
_CLIPS_AT_ONCE = 8
# Grey patches of two cells' side, moved by one: every place lies under four.
OCCLUSION_CELLS = 8

# What the backbones see, uint8 [B, T, S, S, 3], one a region.
Seen = Sequence[np.ndarray]


class Explainer:
    """A detector, and why it says what it says. It is compiled once; keep it for all clips.

    Args:
        detector: built or loaded, native or resized, of one region or of several.
        clips_at_once: of the clips that `logits`, `frame_replacement` and `occlusion` make of one.
    """

    def __init__(self, detector: keras.Model, clips_at_once: int = _CLIPS_AT_ONCE) -> None:
        use_fast_kernels(detector)
        self._at_once = clips_at_once
        self._seen, self._maps = seen_frames(detector), last_maps(detector)
        self._features, self._logit = features_of_maps(detector), temporal_detector(detector)
        self._weigh = temporal_detector(with_attention(detector)) if weighs_frames(detector) else None
        of_seen, of_features = _any_number(self._maps.inputs), _any_number(self._logit.inputs)
        self._run_seen = _compiled(lambda inputs: _listed(self._seen(inputs, training=False)))
        self._run_features = _compiled(self._features_of_seen, of_seen)
        self._run_logit = _compiled(lambda features: self._logit(features, training=False), of_features)
        self._run_logits = _compiled(
            lambda seen: self._logit(self._features_of_seen(seen), training=False), of_seen
        )
        self._run_activation = _compiled(self._activation, of_seen)

    def seen(self, inputs: Any) -> list[np.ndarray]:
        """What the backbones see of what the detector takes: uint8 [B, T, S, S, 3], one a region."""
        inputs = inputs if isinstance(inputs, dict) else _listed(inputs)
        return [each.numpy() for each in self._run_seen(inputs)]

    def logits(self, seen: Seen) -> np.ndarray:
        """The detector's logits, float32 [B]."""
        parts = [self._run_logits(part).numpy() for part in _batches(seen, self._at_once)]
        return np.concatenate(parts).astype(np.float32)

    def attention(self, seen: Seen) -> np.ndarray | None:
        """What each frame weighs, float32 [B, T], summed over regions; None where the head weighs none."""
        if self._weigh is None:
            return None
        parts = []
        for part in _batches(seen, self._at_once):
            _, weights = self._weigh(self._run_features(part), training=False)
            parts.append(weights.numpy().reshape(len(part[0]), -1, part[0].shape[1]).sum(axis=1))
        return np.concatenate(parts)

    def class_activation(self, seen: Seen) -> np.ndarray:
        """What each place adds to the logit: gradient times activation of the last map, summed over channels.

        HiResCAM (Draelos and Carin 2020, arXiv 2011.08891). Behind global average pooling the gradient is the
        same everywhere, and this is Grad-CAM before its ReLU and divided by the number of places (Selvaraju
        et al. 2017, arXiv 1610.02391). Were all behind the pooling linear, the sum over places would be the
        logit without its bias; through LSTM and head it is what a straight line through the clip says.

        Returns:
            float32 [B, R, T, h, w] of R regions; positive speaks for fake.
        """
        parts = [self._run_activation(part).numpy() for part in _batches(seen, self._at_once)]
        return np.concatenate(parts)

    def frame_replacement(self, seen: Seen) -> np.ndarray:
        """By how much the logit falls when a frame is replaced by the one before it, the first by the second.

        In all regions at once. Unlike a grey or black frame in its place, the clip stays one that could be.

        Returns:
            float32 [B, T]; positive where a frame speaks for fake. A single frame can't be replaced: 0.
        """
        return np.concatenate(
            [
                _frame_falls(self._run_features(part), self._run_logit, self._at_once)
                for part in _batches(seen, 1)
            ]
        )

    def occlusion(self, seen: Seen, cells: int = OCCLUSION_CELLS) -> np.ndarray:
        """By how much the logit falls when a grey patch lies over a place, in all frames of a region alike.

        Zeiler and Fergus 2013 (arXiv 1311.2901), section 4.2.

        Args:
            seen: what the backbones see.
            cells: along a side of the square; a patch is centred on each, of twice its side.

        Returns:
            float32 [B, R, cells, cells]; positive where a place speaks for fake.
        """
        return np.stack([self._occluded_falls(clip, cells) for clip in _batches(seen, 1)])

    def _features_of_seen(self, seen: Any) -> list[tf.Tensor]:
        return _listed(self._features(self._maps(seen, training=False), training=False))

    def _activation(self, seen: Any) -> tf.Tensor:
        maps = _listed(self._maps(seen, training=False))
        with tf.GradientTape() as tape:
            tape.watch(maps)
            logit = self._logit(self._features(maps, training=False), training=False) * _GRADIENT_SCALE
        products = [
            tf.cast(gradient, tf.float32) * tf.cast(of_region, tf.float32)
            for gradient, of_region in zip(tape.gradient(logit, maps), maps, strict=True)
        ]
        return tf.stack([tf.reduce_sum(each, axis=-1) for each in products], axis=1) / _GRADIENT_SCALE

    def _occluded_falls(self, clip: Seen, cells: int) -> np.ndarray:
        """float32 [R, cells, cells] of one clip [1, T, S, S, 3] a region."""
        patches = _patches(cells, clip[0].shape[2])
        before = self.logits(clip)
        falls = []
        for region, frames in enumerate(clip):
            for first in range(0, len(patches), self._at_once):
                part = patches[first : first + self._at_once, None, :, :, None]
                variants = [np.repeat(each, len(part), axis=0) for each in clip]
                variants[region] = np.where(part, np.uint8(MID_GREY), frames)
                falls.append(before - self.logits(variants))
        return np.concatenate(falls).reshape(len(clip), cells, cells)


def class_activation(detector: keras.Model, inputs: Any) -> np.ndarray:
    """What each place of the network's squares adds to the logit; see `Explainer.class_activation`.

    Args:
        detector: built or loaded.
        inputs: what it takes; native: frames with views.

    Returns:
        float32 [B, R, T, h, w] of R regions; positive speaks for fake.
    """
    explainer = Explainer(detector)
    return explainer.class_activation(explainer.seen(inputs))


def frame_replacement(detector: keras.Model, inputs: Any) -> np.ndarray:
    """By how much the logit falls without each frame, float32 [B, T]; see `Explainer.frame_replacement`."""
    explainer = Explainer(detector)
    return explainer.frame_replacement(explainer.seen(inputs))


def occlusion(detector: keras.Model, inputs: Any) -> np.ndarray:
    """By how much the logit falls under a grey patch, float32 [B, R, g, g]; see `Explainer.occlusion`."""
    explainer = Explainer(detector)
    return explainer.occlusion(explainer.seen(inputs))


def _frame_falls(features: Sequence[tf.Tensor], logit: Any, at_once: int) -> np.ndarray:
    """float32 [1, T] of the features [1, T, F] of one clip, one a region."""
    # A backbone judges each frame by itself: another frame's features are that frame's in its place.
    num_frames = features[0].shape[1]
    order = np.tile(np.arange(num_frames), (num_frames, 1))
    np.fill_diagonal(order, [min(1, num_frames - 1), *range(num_frames - 1)])
    before = logit(features).numpy()
    after = [
        logit([tf.gather(each[0], order[first : first + at_once]) for each in features]).numpy()
        for first in range(0, num_frames, at_once)
    ]
    return (before - np.concatenate(after)).astype(np.float32)[None]


def _patches(cells: int, size: int) -> np.ndarray:
    """Where the patch of each cell lies in a square, bool [cells^2, size, size]."""
    pixels = (np.arange(size) + 0.5) * cells / size
    near = np.abs(pixels - (np.arange(cells)[:, None] + 0.5)) < 1.0
    return (near[:, None, :, None] & near[None, :, None, :]).reshape(-1, size, size)


def _any_number(inputs: Sequence[keras.KerasTensor]) -> list[list[tf.TensorSpec]]:
    """The signature of a function of a model's inputs: one graph serves any number of clips."""
    return [[tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in inputs]]


def _compiled(function: Callable[..., Any], signature: list[list[tf.TensorSpec]] | None = None) -> Any:
    """Without a signature, as for native frames, a graph may be traced for every size that is met."""
    return tf.function(function, input_signature=signature, reduce_retracing=True, autograph=False)


def _batches(seen: Seen, at_once: int) -> Iterator[list[np.ndarray]]:
    """Some clips at a time."""
    for first in range(0, len(seen[0]), at_once):
        yield [each[first : first + at_once] for each in seen]


def _listed(tensors: Any) -> list[Any]:
    """A model of one region gives a tensor where others give a list."""
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]
