"""Tensors by name out of a file of PyTorch's or of safetensors, with NumPy alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.torch_file import read_state_dict

# Types of safetensors, https://github.com/huggingface/safetensors#format. NumPy has no bfloat16: see _array.
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}


def read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    """Reads a network's tensors by name; those of bfloat16 become float32.

    Raises:
        UserError: no such file, or not one of tensors.
    """
    if not path.is_file():
        raise UserError(f"--checkpoint={path} does not exist; give a .safetensors, .pth, .pt or .bin file")
    return _read_safetensors(path) if path.suffix == ".safetensors" else read_state_dict(path)


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Eight bytes of the header's length, the header in JSON, then all data."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8:start])
        header.pop("__metadata__", None)
        return {name: _array(content[start:], **about) for name, about in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"--checkpoint={path} can't be read as safetensors ({error}); fetch it again"
        ) from error


def _array(data: bytes, dtype: str, shape: list[int], data_offsets: list[int]) -> Any:
    first, end = data_offsets
    array = np.frombuffer(data[first:end], _TYPES[dtype]).reshape(shape)
    # bfloat16 is the upper half of a float32.
    return (array.astype("<u4") << 16).view("<f4") if dtype == "BF16" else array
