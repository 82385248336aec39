"""Weights from a file, after a check that file and model have the same layers."""

import os
import tempfile
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import h5py
import keras

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.applications import square_published_variance
from deepfake_tfdata.model.assembly import backbones_of
from deepfake_tfdata.model.meso4 import is_meso4, load_published_meso4

# Where Keras puts the model inside a detector, and the weights inside a .keras file.
_NESTED_BACKBONE = "layers/functional/"
_WEIGHTS_IN_ARCHIVE = "model.weights.h5"


class StoredWeight(NamedTuple):
    """A weight's shape (None if there is no such weight) and the name of its layer."""

    shape: tuple[int, ...] | None
    layer: str

    def __str__(self) -> str:
        return "absent" if self.shape is None else f"{self.layer} {list(self.shape)}"


_ABSENT = StoredWeight(None, "")


def load_weights_file(model: keras.Model, path: str | os.PathLike[str]) -> None:
    """Loads a file of weights into a detector, or into every backbone of it if the file holds only one.

    Args:
        model: what `build_detector` or `build_backbone` returned.
        path: a .keras or .weights.h5 file of a detector or a backbone, a "notop" .h5 file as
            keras.applications publishes them, or one of Meso-4's. Frame size and number of frames may differ.

    Raises:
        UserError: no such file, not a file of weights, or its layers are not the model's; the message names
            the file and the first difference.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"--weights={path} does not exist; give imagenet, none or a file of weights")
    backbones = backbones_of(model)
    if path.name.endswith((".keras", ".weights.h5")):
        found = _stored_weights(path)
        of_detector = any(name.startswith(_NESTED_BACKBONE) for name in found)
        for target in [model] if of_detector else backbones:
            _load_checked(target, path, found)
    elif path.suffix == ".h5":
        for backbone in backbones:
            _load_published(backbone, path)
    else:
        raise UserError(f"--weights={path} is of no known kind; give a .keras, .weights.h5 or .h5 file")
    for backbone in backbones:
        square_published_variance(backbone)


def _load_checked(model: keras.Model, path: Path, found: dict[str, StoredWeight]) -> None:
    """Compares kinds and shapes first: what a file has beyond the model, Keras skips without a word."""
    with tempfile.TemporaryDirectory() as folder:
        expected_path = Path(folder) / "expected.weights.h5"
        model.save_weights(expected_path)
        expected = _stored_weights(expected_path)
    for key in sorted(expected.keys() | found.keys()):
        in_file, in_model = found.get(key, _ABSENT), expected.get(key, _ABSENT)
        if in_file.shape != in_model.shape:
            raise UserError(
                f"--weights={path} does not fit the model: {key} is {in_file} in the file and {in_model} in "
                "the model; choose the --backbone, --head and --region it was made with, or --weights=none"
            )
    model.load_weights(path)


def _load_published(backbone: keras.Model, path: Path) -> None:
    try:
        if is_meso4(backbone):
            load_published_meso4(backbone, path)
        else:
            backbone.load_weights(path)
    except (ValueError, KeyError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"--weights={path} does not fit the backbone: {reason}") from error


def _stored_weights(path: Path) -> dict[str, StoredWeight]:
    """Every layer's weights by their path inside the file, without the state of an optimizer or a metric."""
    try:
        with ExitStack() as stack:
            file: object = path
            if path.suffix == ".keras":
                archive = stack.enter_context(zipfile.ZipFile(path))
                file = stack.enter_context(archive.open(_WEIGHTS_IN_ARCHIVE))
            return _datasets(stack.enter_context(h5py.File(file)))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"--weights={path} can't be read as Keras weights ({error})") from error


def _datasets(file: h5py.File) -> dict[str, StoredWeight]:
    weights = {}

    def visit(key: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and key.startswith("layers/"):
            weights[key] = StoredWeight(item.shape, str(item.parent.attrs.get("name", "")))

    file.visititems(visit)
    return weights
