"""A detector put together: each region's frames through backbone and LSTM, all regions into one head."""

from collections.abc import Callable, Mapping

import keras
from keras import ops

from deepfake_tfdata.model.heads import HEADS
from deepfake_tfdata.model.options import ModelOptions
from deepfake_tfdata.model.resize import ResizeView
from deepfake_tfdata.pixels import FRAMES, VIEW, view_name

# Names of layers; with several regions, "_REGION" follows, except after the name of a shared backbone.
BACKBONE_LAYER = "backbone"
TEMPORAL_LAYER = "temporal"
RESIZE_LAYER = "resize"  # of native frames; always with "_REGION", or "_frames" of a single one
# In a detector that judges frames by themselves it stands where the others' LSTM is.
FRAME_LOGITS_LAYER = "frame_logits"

# From a backbone and frames [B, T, H, W, 3] to features [B, T, F].
PerFrame = Callable[[keras.Model, keras.KerasTensor], keras.KerasTensor]


def assemble_detector(
    backbone: keras.Model | Mapping[str, keras.Model],
    head: str,
    num_frames: int,
    *,
    lstm_units: int = ModelOptions.lstm_units,
    dropout: float = ModelOptions.dropout,
    native: bool = False,
    per_frame: PerFrame | None = None,
) -> keras.Model:
    """Puts a detector together around a backbone.

    Args:
        backbone: from uint8 [N, H, W, 3] to [N, F], as `build_backbone` returns it; or such a one by each
            region's name, which may be the same for all.
        native: whether frames are of any size, and each input of them is followed by one of views; see
            `build_detector`.
        per_frame: how the backbone gets to see every frame; `fold_frames` if None.
        The others are as in `build_detector`.

    Returns:
        As `build_detector`.
    """
    backbones = {FRAMES: backbone} if isinstance(backbone, keras.Model) else backbone
    inputs, sequences = [], []
    for name, model in backbones.items():
        region_inputs, frames = (_native_frames if native else _frames)(name, num_frames, model)
        features = (per_frame or fold_frames)(model, frames)
        # tanh, sigmoid, no recurrent dropout and no mask: what cuDNN's LSTM can do.
        dtype = _lstm_dtype()
        lstm = keras.layers.LSTM(lstm_units, return_sequences=True, dtype=dtype, name="lstm")
        layer_name = TEMPORAL_LAYER if len(backbones) == 1 else f"{TEMPORAL_LAYER}_{name}"
        sequences.append(keras.layers.Bidirectional(lstm, dtype=dtype, name=layer_name)(features))
        inputs += region_inputs
    clip = HEADS[head](sequences)
    clip = keras.layers.Dropout(dropout, dtype="float32")(clip)
    logit = keras.layers.Dense(1, dtype="float32", name="classifier")(clip)
    logit = keras.layers.Reshape((), dtype="float32", name="logit")(logit)
    # A list of inputs takes a dict with more keys than their names as well, and a list of one a tensor.
    return keras.Model(inputs, logit, name="detector")


def _lstm_dtype() -> str | None:
    """The policy's, but for JAX, whose call of cuDNN's LSTM knows no bfloat16."""
    bfloat16 = keras.config.dtype_policy().compute_dtype == "bfloat16"
    return "float32" if bfloat16 and keras.backend.backend() == "jax" else None


def assemble_published(classifier: keras.Model, num_frames: int, native: bool) -> keras.Model:
    """Makes a detector of a network that judges single frames.

    A clip's probability is the mean of its frames', as in the MesoNet paper (arXiv 1809.00888, section IV).

    Args:
        classifier: from uint8 [N, H, W, 3] to the logit of fake [N, 1], as `build_published` returns it.
        num_frames: frames a clip, T.
        native: as in `build_detector`.

    Returns:
        As `build_detector`.
    """
    inputs, frames = (_native_frames if native else _frames)(FRAMES, num_frames, classifier)
    fake = keras.layers.Identity(dtype="float32", name=FRAME_LOGITS_LAYER)(fold_frames(classifier, frames))
    # The logit of the mean p is log(mean p) - log(mean(1 - p)); in logarithms, sure frames don't overflow.
    logit = [ops.logsumexp(ops.log_sigmoid(each), axis=1) for each in (fake, ops.negative(fake))]
    logit = keras.layers.Reshape((), dtype="float32", name="logit")(ops.subtract(*logit))
    return keras.Model(inputs, logit, name="detector")


def _frames(
    name: str, num_frames: int, backbone: keras.Model
) -> tuple[list[keras.KerasTensor], keras.KerasTensor]:
    """A region's inputs, and the frames [B, T, H, W, 3] that its backbone sees."""
    frames = keras.Input((num_frames, *backbone.input_shape[1:]), dtype="uint8", name=name)
    return [frames], frames


def _native_frames(
    name: str, num_frames: int, backbone: keras.Model
) -> tuple[list[keras.KerasTensor], keras.KerasTensor]:
    """The same of frames of any size, which come with the view that the backbone gets of them."""
    frames = keras.Input((num_frames, None, None, 3), dtype="uint8", name=name)
    view = keras.Input((len(VIEW),), dtype="float32", name=view_name(name))
    size = backbone.input_shape[1]
    return [frames, view], ResizeView(size, name=f"{RESIZE_LAYER}_{name}")(frames, view)


def frame_inputs(detector: keras.Model) -> list[keras.KerasTensor]:
    """A detector's inputs without the views: frames [B, T, H, W, 3], one a region."""
    return [each for each in detector.inputs if len(each.shape) == 5]


def fold_frames(backbone: keras.Model, frames: keras.KerasTensor) -> keras.KerasTensor:
    """Applies a backbone to all frames of all clips at once, as one batch of B*T images.

    keras.layers.TimeDistributed would put the backbone into the graph T times, and update BatchNorm T times a
    step.

    Args:
        backbone: from [N, H, W, 3] to [N, F]; or a part of one, from and to [N, ...].
        frames: [B, T, H, W, 3], or [B, T, ...].

    Returns:
        Features [B, T, F], or [B, T, ...].
    """
    _, num_frames, *image_shape = frames.shape
    features = backbone(ops.reshape(frames, (-1, *image_shape)))
    return ops.reshape(features, (-1, num_frames, *features.shape[1:]))


def backbones_of(model: keras.Model) -> list[keras.Model]:
    """A detector's backbones, built or loaded: one a region or one shared; a backbone's is itself."""
    if model.name.startswith(BACKBONE_LAYER):
        return [model]
    return [layer for layer in model.layers if layer.name.startswith(BACKBONE_LAYER)]
