"""The detector: backbone on every frame, bidirectional LSTM over time, temporal head, one logit a clip."""

import os
from collections.abc import Callable, Iterator, Sequence

import keras
from keras import ops

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.assembly import (
    BACKBONE_LAYER,
    TEMPORAL_LAYER,
    assemble_detector,
    assemble_published,
    backbones_of,
    frame_inputs,
)
from deepfake_tfdata.model.backbones import build_backbone, build_published
from deepfake_tfdata.model.heads import ATTENTION_LAYER
from deepfake_tfdata.model.options import PUBLISHED, ModelOptions
from deepfake_tfdata.model.weights import load_weights_file


def build_detector(
    backbone: str = ModelOptions.backbone,
    head: str = ModelOptions.head,
    num_frames: int = 32,
    frame_size: int = 224,
    weights: str | os.PathLike[str] = ModelOptions.weights,
    *,
    lstm_units: int = ModelOptions.lstm_units,
    dropout: float = ModelOptions.dropout,
    regions: Sequence[str] = ("full",),
    share_backbone: bool = ModelOptions.share_backbone,
    native: bool = False,
) -> keras.Model:
    """Builds a detector of manipulated clips.

    Several regions are fused late: each has a backbone and an LSTM, and the head sees the steps of all.

    Args:
        backbone: one of `BACKBONES`.
        head: one of `HEADS`, or "published" for Meso-4 as its authors have it, without an LSTM.
        num_frames: frames a clip, T.
        frame_size: side of a frame, pixels, at least 32.
        weights: "imagenet" or "none" for the backbone, or a file for the backbone or the whole detector (see
            `load_weights_file`).
        lstm_units: units of the LSTM in each direction.
        dropout: fraction of the clip's vector dropped in training, 0 to below 1.
        regions: what it looks at; a single one's name makes no difference.
        share_backbone: one backbone for all regions instead of one each.
        native: frames come as they are in the video and are resized to frame_size by the detector.

    Returns:
        A model from "frames", uint8 RGB [B, T, H, W, 3], to "logit", float32 [B], positive for fake. It has
        one dimension, like the labels, so that a loss can't broadcast the two against each other. The input
        may also be a dict that holds "frames" among other keys. With several regions it is a dict that holds
        the frames of each under its name.

        A native one takes a dict with "frames", uint8 [B, T, H, W, 3] of any size, and "view", float32
        [B, 16], which says what of them to look at (see `ResizeView`). With several regions these are named
        "REGION" and "REGION_view".

    Raises:
        UserError: a value that is unknown or out of range, or weights that are not to be had or don't fit.
    """
    ModelOptions(head, backbone, str(weights), share_backbone, lstm_units, dropout)  # refuses what is unknown
    if num_frames < 1:
        raise UserError(f"num_frames={num_frames} is too small; choose 1 or more")
    _check_regions(regions)
    from_file = weights not in ("imagenet", "none")
    built_with = "none" if from_file else weights

    def build(layer_name: str) -> keras.Model:
        return build_backbone(backbone, frame_size, built_with, layer_name)

    if head == PUBLISHED:
        if len(regions) > 1:
            raise UserError(f"--head=published looks at one region, not at {len(regions)}; give one --region")
        detector = assemble_published(build_published(frame_size, built_with), num_frames, native)
    else:
        detector = assemble_detector(
            _backbones(build, regions, share_backbone),
            head,
            num_frames,
            lstm_units=lstm_units,
            dropout=dropout,
            native=native,
        )
    if from_file:
        load_weights_file(detector, weights)
    return detector


def _backbones(
    build: Callable[[str], keras.Model], regions: Sequence[str], share: bool
) -> keras.Model | dict[str, keras.Model]:
    """The backbones as `assemble_detector` takes them; `build` makes one by its layer's name."""
    if len(regions) == 1:
        return build(BACKBONE_LAYER)
    if share:
        return dict.fromkeys(regions, build(BACKBONE_LAYER))
    return {region: build(f"{BACKBONE_LAYER}_{region}") for region in regions}


def weighs_frames(detector: keras.Model) -> bool:
    """Whether a detector's head gives every frame a weight of its own."""
    return any(layer.name == ATTENTION_LAYER for layer in detector.layers)


def with_attention(detector: keras.Model) -> keras.Model:
    """Adds the weight of every frame to a detector's outputs.

    Args:
        detector: built or loaded; its layers are shared, not copied. Its head weighs frames.

    Returns:
        A model of the same input to (logit float32 [B], weights float32 [B, T] that sum to 1). With several
        regions the weights are [B, R, T], in `build_detector`'s order, and all R * T sum to 1.
    """
    frames = frame_inputs(detector)
    weights = detector.get_layer(ATTENTION_LAYER).output
    if len(frames) > 1:
        # Named: a loaded detector has operations whose names Keras would give once more.
        shape = (len(frames), frames[0].shape[1])
        weights = keras.layers.Reshape(shape, dtype="float32", name=f"{ATTENTION_LAYER}_by_region")(weights)
    return keras.Model(detector.inputs, (detector.output, weights), name="detector_with_attention")


def set_batch_norm_synchronized(model: keras.Model, synchronized: bool) -> None:
    """Makes every BatchNormalization, nested ones included, use the statistics of all replicas or of its own.

    The constructors of keras.applications have no such argument. Call it before a step is traced.

    Args:
        model: changed in place.
        synchronized: True needs the TensorFlow backend.
    """
    for layer in _batch_norms(model):
        layer.synchronized = synchronized


def batch_norm_statistics(model: keras.Model) -> list[keras.Variable]:
    """The moving means and variances of every BatchNormalization that is not frozen: training moves them."""
    learning = [layer for layer in _batch_norms(model) if layer.trainable]
    return [each for layer in learning for each in (layer.moving_mean, layer.moving_variance)]


def count_parameters(detector: keras.Model) -> dict[str, int]:
    """Counts the weights of a detector, built or loaded.

    Returns:
        `backbone`, `temporal` (LSTM), both over all regions, `head` (with the classifier), their sum `total`,
        and `trainable`.
    """
    total = detector.count_params()
    backbone = sum(model.count_params() for model in backbones_of(detector))
    temporal = sum(layer.count_params() for layer in detector.layers if layer.name.startswith(TEMPORAL_LAYER))
    return {
        "backbone": backbone,
        "temporal": temporal,
        "head": total - backbone - temporal,
        "total": total,
        "trainable": sum(int(ops.size(weight)) for weight in detector.trainable_weights),
    }


def _batch_norms(model: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    return (layer for layer in leaf_layers(model) if isinstance(layer, keras.layers.BatchNormalization))


def leaf_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """A model's layers, and those of the models in it."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaf_layers(layer)
        else:
            yield layer


def _check_regions(regions: Sequence[str]) -> None:
    if isinstance(regions, str) or not regions or "" in regions or len(set(regions)) < len(regions):
        raise UserError(f"regions={regions!r} is no sequence of names; give each region once")
