"""The detector: backbone on every frame, bidirectional LSTM over time, temporal head, one logit a clip."""

import os
from collections.abc import Callable, Iterator

import keras
from keras import ops

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.backbones import build_backbone
from deepfake_tfdata.model.heads import ATTENTION_LAYER, HEADS
from deepfake_tfdata.model.weights import BACKBONE_LAYER, load_weights_file

TEMPORAL_LAYER = "temporal"

# From a backbone and frames [B, T, H, W, 3] to features [B, T, F].
PerFrame = Callable[[keras.Model, keras.KerasTensor], keras.KerasTensor]


def build_detector(
    backbone: str = "efficientnet_b1",
    head: str = "attention",
    num_frames: int = 32,
    frame_size: int = 224,
    weights: str | os.PathLike = "imagenet",
    *,
    lstm_units: int = 128,
    dropout: float = 0.0,
) -> keras.Model:
    """Builds a detector of manipulated clips.

    Args:
        backbone: one of `BACKBONES`.
        head: one of `HEADS`.
        num_frames: frames a clip, T.
        frame_size: side of a frame, pixels, at least 32.
        weights: "imagenet" or "none" for the backbone, or a file for the backbone or the whole detector (see
            `load_weights_file`).
        lstm_units: units of the LSTM in each direction.
        dropout: fraction of the clip's vector dropped in training, 0 to below 1.

    Returns:
        A model from "frames", uint8 RGB [B, T, H, W, 3], to "logit", float32 [B], positive for fake. It has
        one dimension, like the labels, so that a loss can't broadcast the two against each other. The input
        may also be a dict that holds "frames" among other keys.

    Raises:
        UserError: a value that is unknown or out of range, or weights that are not to be had or don't fit.
    """
    _check_arguments(head, num_frames, lstm_units, dropout)
    from_file = weights not in ("imagenet", "none")
    frame_model = build_backbone(backbone, frame_size, "none" if from_file else weights)
    detector = assemble_detector(frame_model, head, num_frames, lstm_units=lstm_units, dropout=dropout)
    if from_file:
        load_weights_file(detector, weights)
    return detector


def assemble_detector(
    backbone: keras.Model,
    head: str,
    num_frames: int,
    *,
    lstm_units: int = 128,
    dropout: float = 0.0,
    per_frame: PerFrame | None = None,
) -> keras.Model:
    """Puts a detector together around a backbone.

    Args:
        backbone: from uint8 [N, H, W, 3] to [N, F], as `build_backbone` returns it.
        per_frame: how the backbone gets to see every frame; `fold_frames` if None.
        The others are as in `build_detector`.

    Returns:
        As `build_detector`.
    """
    frames = keras.Input((num_frames, *backbone.input_shape[1:]), dtype="uint8", name="frames")
    features = (per_frame or fold_frames)(backbone, frames)
    # tanh, sigmoid, no recurrent dropout and no mask: what cuDNN's LSTM can do.
    lstm = keras.layers.LSTM(lstm_units, return_sequences=True)
    sequence = keras.layers.Bidirectional(lstm, name=TEMPORAL_LAYER)(features)
    clip = HEADS[head](sequence)
    clip = keras.layers.Dropout(dropout, dtype="float32")(clip)
    logit = keras.layers.Dense(1, dtype="float32", name="classifier")(clip)
    logit = keras.layers.Reshape((), dtype="float32", name="logit")(logit)
    # A list of one input takes a tensor as well as a dict with more keys than "frames".
    return keras.Model([frames], logit, name="detector")


def fold_frames(backbone: keras.Model, frames: keras.KerasTensor) -> keras.KerasTensor:
    """Applies a backbone to all frames of all clips at once, as one batch of B*T images.

    keras.layers.TimeDistributed would put the backbone into the graph T times, and update BatchNorm T times a
    step.

    Args:
        backbone: from [N, H, W, 3] to [N, F].
        frames: [B, T, H, W, 3].

    Returns:
        Features [B, T, F].
    """
    _, num_frames, *image_shape = frames.shape
    features = backbone(ops.reshape(frames, (-1, *image_shape)))
    return ops.reshape(features, (-1, num_frames, features.shape[-1]))


def with_attention(detector: keras.Model) -> keras.Model:
    """Adds the weight of every frame to a detector's outputs.

    Args:
        detector: built or loaded; its layers are shared, not copied.

    Returns:
        A model of the same input to (logit float32 [B], weights float32 [B, T] that sum to 1). A head that
        doesn't weigh frames gives uniform weights.
    """
    if any(layer.name == ATTENTION_LAYER for layer in detector.layers):
        weights = detector.get_layer(ATTENTION_LAYER).output
    else:
        sequence = detector.get_layer(TEMPORAL_LAYER).output
        first_unit = ops.cast(sequence[:, :, 0], "float32")
        weights = ops.full_like(first_unit, 1 / sequence.shape[1])
    return keras.Model(detector.inputs, (detector.output, weights), name="detector_with_attention")


def set_batch_norm_synchronized(model: keras.Model, synchronized: bool) -> None:
    """Makes every BatchNormalization, nested ones included, use the statistics of all replicas or of its own.

    The constructors of keras.applications have no such argument. Call it before a step is traced.

    Args:
        model: changed in place.
        synchronized: True needs the TensorFlow backend.
    """
    for layer in _leaf_layers(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = synchronized


def count_parameters(detector: keras.Model) -> dict[str, int]:
    """Counts the weights of a detector, built or loaded.

    Returns:
        `backbone`, `temporal` (the LSTM), `head` (with the classifier), their sum `total`, and `trainable`.
    """
    total = detector.count_params()
    backbone = detector.get_layer(BACKBONE_LAYER).count_params()
    temporal = detector.get_layer(TEMPORAL_LAYER).count_params()
    return {
        "backbone": backbone,
        "temporal": temporal,
        "head": total - backbone - temporal,
        "total": total,
        "trainable": sum(int(ops.size(weight)) for weight in detector.trainable_weights),
    }


def _leaf_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaf_layers(layer)
        else:
            yield layer


def _check_arguments(head: str, num_frames: int, lstm_units: int, dropout: float) -> None:
    if head not in HEADS:
        raise UserError(f"--head={head} is unknown; choose from {', '.join(HEADS)}")
    if num_frames < 1:
        raise UserError(f"--num_frames={num_frames} is too small; choose 1 or more")
    if lstm_units < 1:
        raise UserError(f"--lstm_units={lstm_units} is too small; choose 1 or more")
    if not 0 <= dropout < 1:
        raise UserError(f"--dropout={dropout} is out of range; choose 0 or more and less than 1")
