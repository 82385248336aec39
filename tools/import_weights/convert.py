"""Tensors of a network in PyTorch, in the layers of a backbone."""

from collections.abc import Callable

import keras
import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.torch_file import keras_kernel
from tools.import_weights.original import Original

# Modules that follow the features, of all families; `adjust_channel` is a side branch of DeepfakeBench's.
_HEADS = {"classifier", "fc", "_fc", "last_layer", "last_linear", "adjust_channel"}
# A BatchNormalization's count of steps, which decides nothing where its momentum is a number.
_COUNTER = "num_batches_tracked"

# Takes a tensor out by its name: whatever is still there in the end was not understood.
Take = Callable[[str], np.ndarray]


def import_tensors(tensors: dict[str, np.ndarray], original: Original, backbone: keras.Model) -> list[str]:
    """Fills a backbone with a checkpoint's tensors.

    Args:
        tensors: of the checkpoint.
        original: what it is of.
        backbone: as `build_backbone` returns it; computes the same afterwards, but for its padding.

    Returns:
        The names of the tensors that are left out, because they come after the features.

    Raises:
        UserError: a tensor is missing, of another shape, or not understood; the message has its name.
    """
    rest = {name: tensor for name, tensor in tensors.items() if not name.endswith(_COUNTER)}

    def take(name: str) -> np.ndarray:
        if original.prefix + name not in rest:
            raise UserError(f"the checkpoint has no {original.prefix}{name}; is it of another --backbone?")
        return rest.pop(original.prefix + name).astype(np.float32)

    layers = {layer.name: layer for layer in backbone.layers if layer.weights}
    modules = original.modules(list(layers))
    for name, layer in layers.items():
        if isinstance(layer, keras.layers.Normalization):
            layer.adapt_mean.assign(original.mean)
            layer.adapt_variance.assign(np.square(original.stddev))
        else:
            _fill(layer, modules[name], take, original.epsilon)
    heads = [name for name in rest if _HEADS.intersection(name.split("."))]
    unknown = [name for name in rest if name not in heads]
    if unknown:
        raise UserError(
            f"nothing is known of the checkpoint's {unknown[0]} and {len(unknown) - 1} tensors more; "
            "is it of another --backbone?"
        )
    return heads


def _fill(layer: keras.Layer, module: str, take: Take, epsilon: float) -> None:
    if isinstance(layer, keras.layers.BatchNormalization):
        _fill_normalization(layer, module, take, epsilon)
    elif isinstance(layer, keras.layers.SeparableConv2D):
        depthwise = keras_kernel(take(f"{module}.conv1.weight"), depthwise=True)
        _assign(layer.depthwise_kernel, depthwise, f"{module}.conv1")
        _assign(
            layer.pointwise_kernel, keras_kernel(take(f"{module}.pointwise.weight")), f"{module}.pointwise"
        )
    else:
        kernel = keras_kernel(take(f"{module}.weight"), isinstance(layer, keras.layers.DepthwiseConv2D))
        _assign(layer.kernel, kernel, module)
        if layer.use_bias:
            _assign(layer.bias, take(f"{module}.bias"), module)


def _fill_normalization(
    layer: keras.layers.BatchNormalization, module: str, take: Take, epsilon: float
) -> None:
    """Gamma takes up what the two epsilons differ by: exact with the kept statistics, near with a batch's.

    A changed variance would be exact, too, but may be negative, and fine-tuning would undo it.
    """
    variance = take(f"{module}.running_var")
    scale = np.sqrt((variance.astype(np.float64) + layer.epsilon) / (variance.astype(np.float64) + epsilon))
    _assign(layer.gamma, take(f"{module}.weight") * scale.astype(np.float32), module)
    _assign(layer.beta, take(f"{module}.bias"), module)
    _assign(layer.moving_mean, take(f"{module}.running_mean"), module)
    _assign(layer.moving_variance, variance, module)


def _assign(variable: keras.Variable, value: np.ndarray, module: str) -> None:
    if value.shape != tuple(variable.shape):
        raise UserError(
            f"the checkpoint's {module} is {list(value.shape)} in our order of axes, and {variable.path} is "
            f"{list(variable.shape)}; is it of another --backbone?"
        )
    variable.assign(value)
