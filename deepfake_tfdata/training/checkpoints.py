"""Checkpoints: everything a run needs to go on, in one file that is whole or not there."""

import json
import logging
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import atomic_path

_LOG = logging.getLogger(__name__)
# The folder of a workdir.
CHECKPOINTS = "checkpoints"
_KEPT = 3
_NAME = re.compile(r"step-(\d+)\.npz")


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after a step.

    Attributes:
        path: where it was read from.
        arrays: values of the model's and the optimizer's variables, in their order.
        state: what else the run needs, as JSON holds it.
    """

    path: Path
    arrays: list[np.ndarray]
    state: dict[str, Any]


def save_checkpoint(
    folder: Path, step: int, variables: Sequence[keras.Variable], state: dict[str, Any]
) -> None:
    """Writes the state after a step, and removes all but the newest few."""
    arrays: dict[str, Any] = {f"variable_{i}": np.asarray(variable) for i, variable in enumerate(variables)}
    arrays["state"] = np.array(json.dumps(state))
    with atomic_path(folder / f"step-{step:09d}.npz") as temporary:
        np.savez(temporary, **arrays)
    for old in list_checkpoints(folder)[:-_KEPT]:
        old.unlink()


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole; zip's checksums are verified by the reading.

    Raises:
        UserError: there are checkpoints, and all are damaged.
    """
    paths = list_checkpoints(folder)
    for path in reversed(paths):
        try:
            return _read(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            _LOG.warning("checkpoint %s is damaged; trying the one before", path)
    if paths:
        raise UserError(f"all checkpoints in {folder} are damaged; delete the folder to start anew")
    return None


def restore(checkpoint: Checkpoint, variables: Sequence[keras.Variable]) -> None:
    """Puts a checkpoint's values into variables.

    Raises:
        UserError: it is another model's.
    """
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [array.shape for array in checkpoint.arrays]:
        raise UserError(f"checkpoint {checkpoint.path} is of another model; use a new --workdir")
    for variable, array in zip(variables, checkpoint.arrays, strict=True):
        variable.assign(array)


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(path for path in folder.glob("*.npz") if _NAME.fullmatch(path.name))


def _read(path: Path) -> Checkpoint:
    with np.load(path, allow_pickle=False) as file:
        arrays = [file[f"variable_{i}"] for i in range(len(file.files) - 1)]
        return Checkpoint(path, arrays, json.loads(str(file["state"])))
