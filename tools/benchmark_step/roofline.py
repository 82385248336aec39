"""What bounds a step: its products at the speed of a large one, or its bytes at the speed of a large copy."""

import math
import statistics
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from deepfake_tfdata.model.assembly import backbones_of, frame_inputs
from tools.benchmark_step.serve import seconds

_LARGEST_MATRIX = 16384
_LONG_ENOUGH_S = 0.1
_COPY_ELEMENTS = 2**25


def matrix_product_gflops(largest: int = _LARGEST_MATRIX) -> float:
    """10^9 operations a second of a product of square matrices, the best of growing sizes."""
    best, size = 0.0, min(1024, largest)
    while size <= largest:
        # Of ones, a GPU would make products faster than it ever does again: fewer transistors switch.
        matrix = keras.random.uniform((size, size), dtype=keras.config.dtype_policy().compute_dtype)
        taken = _median_seconds(lambda matrix=matrix: keras.ops.matmul(matrix, matrix))
        best = max(best, 2 * size**3 / taken / 1e9)
        if taken > _LONG_ENOUGH_S:
            break
        size *= 2
    return best


def memory_gbytes(elements: int = _COPY_ELEMENTS) -> float:
    """10^9 bytes a second, read and written, of negating a large float32 array on the device.

    One copy takes a fast GPU less than its start does: as many are made, each of the last, as take a while.
    """
    array = keras.ops.ones((elements,), "float32")
    copies = 1
    while (taken := _median_seconds(lambda copies=copies: _negated(array, copies))) < _LONG_ENOUGH_S:
        copies *= 2
    return copies * 2 * 4 * elements / taken / 1e9


def _negated(array: Any, times: int) -> Any:
    for _ in range(times):
        array = keras.ops.negative(array)
    return array


def count_bytes(detector: keras.Model) -> int:
    """Bytes that one clip's forward pass moves if every layer reads its inputs and writes its outputs once.

    Kept in caches or fused with its neighbour, a layer moves fewer. Weights, and the resize of native frames,
    are not counted.
    """
    backbones = backbones_of(detector)
    num_frames = sum(frames.shape[1] for frames in frame_inputs(detector))
    elements = 0
    for layer in detector.layers:
        if layer in backbones:
            elements += num_frames // len(backbones) * sum(map(_elements, layer.layers))
        elif not layer.name.startswith("resize"):
            elements += _elements(layer)
    itemsize = np.dtype(np.float16).itemsize if "16" in keras.config.dtype_policy().compute_dtype else 4
    return elements * itemsize


def device_name() -> str:
    """What Keras computes on."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.devices()[0].device_kind
    if backend == "torch":
        import torch

        return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "gpu") if gpus else "cpu"


def _elements(layer: keras.Layer) -> int:
    """Elements of a layer's inputs and outputs for one of the batch; inputs of the graph move nothing."""
    if isinstance(layer, keras.layers.InputLayer):
        return 0
    tensors = keras.tree.flatten([layer.input, layer.output])
    return sum(math.prod(tensor.shape[1:]) for tensor in tensors)


def _median_seconds(compute: Callable[[], Any]) -> float:
    """Of five calls after the first, which may compile; one element is fetched, to wait for the device."""

    def step() -> None:
        result = compute()
        keras.ops.convert_to_numpy(result[(0,) * len(result.shape)])

    step()
    return statistics.median(seconds(step) for _ in range(5))
