"""An ONNX file with the inputs and outputs of YuNet that sees a face wherever an 8x8 cell is white.

Written byte by byte in protobuf's wire format (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the
field numbers), since the real model can't be downloaded by a test.
"""

from pathlib import Path

import numpy as np

SIZE = 32
# In cells, relative to the white one's corner: right eye, left eye, nose, mouth corners.
LANDMARKS = np.array([[-1, -1], [1, -1], [0, 0], [-1, 1], [1, 1]], np.float32)


def write_tiny_yunet(path: Path) -> Path:
    """Writes the model."""
    parts = [_field(2, "tiny"), _field(11, _tensor_type("input", 1, 3, SIZE, SIZE))]
    for stride in (8, 16, 32):
        brightness = np.full((1, 3, stride, stride), 1 / (3 * 255 * stride**2), np.float32)
        heads = {
            "cls": (brightness * (stride == 8), np.zeros(1)),
            "obj": (brightness * 0, np.ones(1)),
            "bbox": (np.zeros((4, 3, stride, stride)), np.zeros(4)),
            "kps": (np.zeros((10, 3, stride, stride)), LANDMARKS.ravel()),
        }
        for name, (kernel, bias) in heads.items():
            parts += _head(f"{name}_{stride}", kernel, bias, stride)
    model = _field(1, 8) + _field(8, _field(1, "") + _field(2, 11)) + _field(7, b"".join(parts))
    path.write_bytes(model)
    return path


def _head(name: str, kernel: np.ndarray, bias: np.ndarray, stride: int) -> list[bytes]:
    """A convolution of one value a cell, channels last."""
    cells = SIZE // stride
    return [
        _field(5, _tensor(f"{name}_kernel", kernel)),
        _field(5, _tensor(f"{name}_bias", bias)),
        _field(
            1,
            _node("Conv", ["input", f"{name}_kernel", f"{name}_bias"], f"{name}_cells")
            + _ints("kernel_shape", stride, stride)
            + _ints("strides", stride, stride),
        ),
        _field(1, _node("Transpose", [f"{name}_cells"], name) + _ints("perm", 0, 2, 3, 1)),
        _field(12, _tensor_type(name, 1, cells, cells, len(bias))),
    ]


def _node(operation: str, inputs: list[str], output: str) -> bytes:
    return (
        b"".join(_field(1, name) for name in inputs)
        + _field(2, output)
        + _field(3, output)
        + _field(4, operation)
    )


def _ints(name: str, *values: int) -> bytes:
    return _field(5, _field(1, name) + b"".join(_field(8, value) for value in values) + _field(20, 7))


def _tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(_field(1, size) for size in values.shape)
    return dims + _field(2, 1) + _field(8, name) + _field(9, values.astype("<f4").tobytes())


def _tensor_type(name: str, *shape: int) -> bytes:
    dims = b"".join(_field(1, _field(1, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, dims)))


def _field(number: int, value: int | str | bytes) -> bytes:
    """A field of a message: a varint, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])
