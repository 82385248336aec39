"""The floating point operations of a detector's forward pass, counted from its layers' shapes."""

import math

import keras

from deepfake_tfdata.model.assembly import backbones_of, frame_inputs


def count_flops(detector: keras.Model) -> int:
    """Counts the operations that one clip takes; nothing is run.

    A multiply-add counts as two. Counted are the products with kernels (of convolutions, dense layers, LSTMs)
    and those between the steps of self-attention. What works element by element, such as normalization,
    activation and pooling, is not, nor is the resize of native frames, which depends on their size.

    Args:
        detector: built or loaded, in channels_last.
    """
    backbones = backbones_of(detector)
    num_frames = sum(frames.shape[1] for frames in frame_inputs(detector))
    multiply_adds = 0
    for layer in detector.layers:
        # A backbone sees its region's frames, one after another; a shared one those of all regions.
        calls = num_frames // len(backbones) if layer in backbones else 1
        multiply_adds += calls * _multiply_adds(layer)
    return 2 * multiply_adds


def _multiply_adds(layer: keras.layers.Layer) -> int:
    """Those of one call of a layer, or of all layers of a model, for one element of the batch."""
    if isinstance(layer, keras.Model):
        return sum(map(_multiply_adds, layer.layers))
    # A kernel is applied at every position of the output: of an image, of a sequence, or the only one.
    kernels = sum(math.prod(weight.shape) for weight in layer.weights if weight.name.endswith("kernel"))
    if not kernels:
        return 0
    _, *positions, _ = layer.output.shape
    multiply_adds = math.prod(positions) * kernels
    if isinstance(layer, keras.layers.MultiHeadAttention):
        (steps,) = positions
        multiply_adds += 2 * steps**2 * layer.num_heads * layer.key_dim  # queries by keys, weights by values
    return multiply_adds
