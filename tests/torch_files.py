"""Files as torch.save writes them, written without torch."""

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from unittest import mock

import numpy as np

PROTOCOL = 2
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"float64": "Double", "float32": "Float", "float16": "Half", "int64": "Long", "uint8": "Byte"}


class Tensor:
    """An array to be written; with `offset`, `shape` and `strides`, in elements, it is a view of it."""

    def __init__(self, array, storage="", **view):
        self.array = np.ascontiguousarray(array)
        self.storage = storage or f"{_STORAGES[self.array.dtype.name]}Storage"
        strides = [stride // self.array.itemsize for stride in self.array.strides]
        self.view = {"offset": 0, "shape": self.array.shape, "strides": tuple(strides), **view}


def write_legacy(path, content):
    """The format before PyTorch 1.6: five pickles, then each storage behind its number of elements."""
    storages, pickled = _pickled(content, legacy=True)
    with path.open("wb") as file:
        for part in (LEGACY_MAGIC, 1001, {"protocol_version": 1001, "little_endian": True}):
            pickle.dump(part, file, PROTOCOL)
        file.write(pickled)
        pickle.dump(list(storages), file, PROTOCOL)
        for array in storages.values():
            file.write(array.size.to_bytes(8, "little") + array.tobytes())
    return path


def write_archive(path, content):
    """The format since PyTorch 1.6: a zip archive of a pickle and a file for each storage."""
    storages, pickled = _pickled(content, legacy=False)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", "little")
        for key, array in storages.items():
            archive.writestr(f"archive/data/{key}", array.tobytes())
    return path


def _pickled(content, legacy):
    """The storages by key, and the pickle that asks for them and for names of torch."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def name(module, title):
        value = types.FunctionType((lambda *_: None).__code__, {}, title)
        value.__module__, value.__qualname__ = module.__name__, title
        setattr(module, title, value)
        return value

    rebuild = name(utils, "_rebuild_tensor_v2")
    storages = {}

    class Storage:
        def __init__(self, pid):
            self.pid = pid

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return value.pid if isinstance(value, Storage) else None

        def reducer_override(self, value):
            if not isinstance(value, Tensor):
                return NotImplemented
            key = str(len(storages))
            storages[key] = value.array
            kind = getattr(torch, value.storage, None) or name(torch, value.storage)
            pid = ("storage", kind, key, "cpu", value.array.size, *([None] if legacy else []))
            view = value.view
            parts = (Storage(pid), view["offset"], view["shape"], view["strides"], False, OrderedDict())
            return rebuild, parts

    buffer = io.BytesIO()
    with mock.patch.dict(sys.modules, {"torch": torch, "torch._utils": utils}):
        Pickler(buffer, PROTOCOL).dump(content)
    return storages, buffer.getvalue()
