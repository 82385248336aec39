"""Weights that PyTorch saved, read with NumPy alone: nothing that a file asks for is run.

Both formats of `torch.save`: the legacy one (a row of pickles, then the storages) and the zip archive of
PyTorch 1.6 and later. Described by torch/serialization.py of pytorch/pytorch.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from deepfake_tfdata.errors import UserError

_ARCHIVE_MAGIC = b"PK\x03\x04"
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
# NumPy's types by the names of PyTorch's storages. NumPy has no bfloat16: see `_storage_array`.
_STORAGE_TYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
# What reading a damaged or a hostile file may raise.
_DAMAGE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
    NotImplementedError,  # an encrypted or oddly compressed archive
)


@dataclass(frozen=True)
class _Storage:
    """A row of `size` numbers of a type of `_STORAGE_TYPES`, somewhere in the file."""

    kind: str
    key: str
    size: int


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage; offset and strides count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch_file(path: str | Path) -> Any:
    """Reads what `torch.save` wrote of dicts, lists, tuples, numbers, text and tensors.

    Args:
        path: a .pth, .pt or .bin file.

    Returns:
        What was saved, with read-only arrays for tensors; those of bfloat16 as float32.

    Raises:
        UserError: there is no such file, it is none of PyTorch's, it is damaged, or it holds an object of
            another kind, as a checkpoint with more than weights may.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path} does not exist; give a file that PyTorch saved")
    try:
        with path.open("rb") as file:
            return _read_archive(file) if file.peek(4)[:4] == _ARCHIVE_MAGIC else _read_legacy(file)
    except _DAMAGE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(
            f"{path} can't be read as weights of PyTorch ({reason}); save a state_dict alone, with torch.save"
        ) from error


def read_state_dict(path: str | Path) -> dict[str, np.ndarray]:
    """Reads the tensors of a network by name.

    Args:
        path: holds a state_dict, or a dict that has one under "state_dict" or "model".

    Returns:
        Read-only arrays in the file's order, with PyTorch's axes: a convolution's are (output, input, height,
        width).

    Raises:
        UserError: as `read_torch_file`, or there is no state_dict.
    """
    content = read_torch_file(path)
    nested = [content.get(key) for key in ("state_dict", "model")] if isinstance(content, dict) else []
    for candidate in (*nested, content):
        if isinstance(candidate, dict):
            tensors = {str(key): value for key, value in candidate.items() if isinstance(value, np.ndarray)}
            if tensors:
                return tensors
    raise UserError(f"{path} holds no state_dict; save the one of the network, with torch.save")


class _Unpickler(pickle.Unpickler):
    """Knows the names below and no others, so that a file can't call anything else.

    Attributes:
        storages: those that were asked for, by key.
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _STORAGE_TYPES:
            return name
        # Functions made for this file alone, because a pickle may set attributes of what it gets.
        known: dict[tuple[str, str], Callable[..., object]] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch", "Size"): lambda sizes: tuple(sizes),
            ("torch._utils", "_rebuild_tensor_v2"): lambda *parts: _Tensor(*parts[:4]),
            ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it holds a {module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        """A storage: ("storage", type, key, device, elements) and, in the legacy format, a view of None."""
        tag, kind, key, _, size, *view = pid
        if tag != "storage" or kind not in _STORAGE_TYPES or view not in ([], [None]):
            raise pickle.UnpicklingError("it holds a storage of an unknown kind")
        return self.storages.setdefault(key, _Storage(kind, key, size))


def keras_kernel(kernel: np.ndarray, depthwise: bool = False) -> np.ndarray:
    """A convolution's kernel in Keras' order of axes.

    Args:
        kernel: [out, in, h, w], or [channels, 1, h, w] of a depthwise one; some 1x1 ones come without h, w.
        depthwise: whether it is one.

    Returns:
        [h, w, in, out], or [h, w, channels, 1].
    """
    kernel = kernel.reshape(*kernel.shape, *(1,) * (4 - kernel.ndim))
    return kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))


def _read_archive(file: IO[bytes]) -> Any:
    with zipfile.ZipFile(file) as archive:
        (pickled,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        folder = pickled.removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist():
            _require_little_endian(archive.read(f"{folder}byteorder") == b"little")
        unpickler = _Unpickler(io.BytesIO(archive.read(pickled)))
        content = unpickler.load()
        data = {key: archive.read(f"{folder}data/{key}") for key in unpickler.storages}
    return _with_arrays(content, data)


def _read_legacy(file: IO[bytes]) -> Any:
    magic, _, system = (_Unpickler(file).load() for _ in range(3))
    if magic != _LEGACY_MAGIC:
        raise pickle.UnpicklingError("it does not begin as one")
    _require_little_endian(system["little_endian"])
    unpickler = _Unpickler(file)
    content = unpickler.load()
    data = {}
    for key in _Unpickler(file).load():
        size = int.from_bytes(file.read(8), "little")
        data[key] = file.read(size * np.dtype(_STORAGE_TYPES[unpickler.storages[key].kind]).itemsize)
    return _with_arrays(content, data)


def _require_little_endian(little: bool) -> None:
    if not little:
        raise ValueError("it is big-endian")


def _with_arrays(content: Any, data: dict[str, bytes]) -> Any:
    """The same tree with arrays in place of tensors; `data` has the bytes of every storage."""
    if isinstance(content, _Tensor):
        return _array(content, data[content.storage.key])
    if isinstance(content, dict):
        return {key: _with_arrays(value, data) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(_with_arrays(value, data) for value in content)
    return content


def _array(tensor: _Tensor, data: bytes) -> np.ndarray:
    storage = np.frombuffer(data, _STORAGE_TYPES[tensor.storage.kind], tensor.storage.size)
    if tensor.storage.kind == "BFloat16Storage":  # the upper half of a float32
        storage = (storage.astype(np.uint32) << 16).view(np.float32)
    _require_inside(tensor, len(storage))
    strides = [stride * storage.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides, writeable=False)


def _require_inside(tensor: _Tensor, size: int) -> None:
    """Outside of its storage a view would show whatever lies in this process's memory."""
    steps = zip(tensor.shape, tensor.strides, strict=True)
    last = tensor.offset + sum((side - 1) * stride for side, stride in steps)
    negative = min((tensor.offset, *tensor.shape, *tensor.strides)) < 0
    if negative or (0 not in tensor.shape and last >= size):
        raise ValueError("a tensor reaches beyond its storage")
