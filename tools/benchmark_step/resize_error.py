"""What fewer bits do to the resize: the error of its two matrix products in grey levels."""

import json
from collections.abc import Callable

import keras
import numpy as np

from deepfake_tfdata.model.resize import ResizeView, filter_matrix
from deepfake_tfdata.pixels import view_numbers
from tools.benchmark_step.precision import set_precision
from tools.benchmark_step.roofline import device_name

# Bits of a float32's 23 that stay of its fraction.
FRACTION_BITS = {"tf32": 10, "bfloat16": 7}
_CROP, _SIZES = 160, (64, 224)


def rounded(values: np.ndarray, bits: int) -> np.ndarray:
    """float32 whose fractions have that many bits, to the nearest, ties to even."""
    dropped = 23 - bits
    whole = np.ascontiguousarray(values, np.float32).view(np.uint32)
    odd = (whole >> dropped) & 1
    kept = (whole + odd + (1 << (dropped - 1)) - 1) >> dropped << dropped
    return kept.astype(np.uint32).view(np.float32)


def products(frames: np.ndarray, matrix: np.ndarray, cut: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """[N, S, S, 3] in float64 of [N, L, L, 3] and [S, L]; `cut` is what happens to operands of a product."""
    columns = np.einsum("pw,nhwc->nhpc", cut(matrix).astype(np.float64), cut(frames).astype(np.float64))
    return np.einsum("oh,nhpc->nopc", cut(matrix).astype(np.float64), cut(columns).astype(np.float64))


def emulated(size: int, bits: int, crop: int = _CROP) -> dict[str, float]:
    """Errors in grey levels where operands are rounded and sums are not.

    Returns:
        `largest` and `rms` before rounding to whole levels, and `changed`, the share of values that are
        another whole level afterwards.
    """
    frames = _frames(crop)
    matrix = _matrix(size, crop)
    exact = np.clip(products(frames, matrix, lambda values: values), 0, 255)
    reduced = np.clip(products(frames, matrix, lambda values: rounded(values, bits)), 0, 255)
    return _errors(reduced, exact)


def measured(size: int, precision: str, crop: int = _CROP) -> dict[str, float]:
    """The same of the layer itself on this device, whose result has whole levels."""
    set_precision(precision)
    frames = _frames(crop)
    whole = (0, 0, crop, crop)
    view = np.array([view_numbers(whole, whole)], np.float32)
    result = keras.ops.convert_to_numpy(ResizeView(size)(frames[None], view))[0].astype(np.float64)
    exact = np.clip(products(frames, _matrix(size, crop), lambda values: values), 0, 255)
    return _errors(result, np.round(exact))


def main() -> None:
    """Prints what was emulated and what was measured, as JSON."""
    found = {"device": device_name(), "crop": _CROP, "emulated": {}, "measured": {}}
    for size in _SIZES:
        for name, bits in FRACTION_BITS.items():
            found["emulated"][f"{name}, {size} pixels"] = emulated(size, bits)
        for name in ("float32", "tf32"):
            found["measured"][f"{name}, {size} pixels"] = measured(size, name)
    print(json.dumps(found))


def _errors(result: np.ndarray, exact: np.ndarray) -> dict[str, float]:
    error = np.abs(result - exact)
    return {
        "largest": float(error.max()),
        "rms": float(np.sqrt(np.square(error).mean())),
        "changed": float((np.round(result) != np.round(exact)).mean()),
    }


def _frames(crop: int) -> np.ndarray:
    """uint8 [2, crop, crop, 3]: noise, the worst that a filter can meet, and a ramp to white."""
    noise = np.random.default_rng(0).integers(0, 256, (crop, crop, 3))
    ramp = np.broadcast_to(np.linspace(200, 255, crop)[:, None], (crop, crop))[..., None].repeat(3, -1)
    return np.stack([noise, ramp]).astype(np.uint8)


def _matrix(size: int, crop: int) -> np.ndarray:
    """The layer's own filter, float32 [size, crop]."""
    ends = (keras.ops.full((1, 1), value, "float32") for value in (0, crop, 0, crop))
    matrix, _ = filter_matrix(size, crop, *ends)
    return keras.ops.convert_to_numpy(matrix)[0]


if __name__ == "__main__":
    main()
