"""Checkpoints: everything a run needs to go on, in one file that is whole or not there."""

import json
import logging
import re
import zipfile
import zlib
from collections.abc import Mapping
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
# The name of what is no variable.
_STATE = "state"
_NAME = re.compile(r"step-(\d+)\.npz")


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after a step.

    Attributes:
        path: where it was read from.
        arrays: values of the run's variables by their names.
        state: what else the run needs, as JSON holds it.
    """

    path: Path
    arrays: dict[str, np.ndarray]
    state: dict[str, Any]


def save_checkpoint(
    folder: Path, step: int, variables: Mapping[str, keras.Variable], state: dict[str, Any]
) -> None:
    """Writes the state after a step, and removes all but the newest few.

    Args:
        folder: of the checkpoints.
        step: how many were made.
        variables: by names that another process gives them, too, such as 'model/classifier/bias'.
        state: what else the run needs, as JSON holds it.
    """
    arrays: dict[str, Any] = {name: np.asarray(variable) for name, variable in variables.items()}
    arrays[_STATE] = np.array(json.dumps(state))
    with atomic_path(folder / f"step-{step:09d}.npz") as temporary:
        np.savez(temporary, **arrays)
    for old in list_checkpoints(folder)[:-_KEPT]:
        old.unlink()


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole; zip's checksums are verified by the reading.

    Raises:
        UserError: there are checkpoints, and all are damaged, or of an older version.
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


def restore(checkpoint: Checkpoint, variables: Mapping[str, keras.Variable]) -> None:
    """Puts a checkpoint's values into the variables of these names.

    Raises:
        UserError: it is another model's; the first variable that differs is named.
    """
    found = {name: array.shape for name, array in checkpoint.arrays.items()}
    expected = {name: tuple(variable.shape) for name, variable in variables.items()}
    for name in (*expected, *found):
        there, here = found.get(name), expected.get(name)
        if there != here:
            raise UserError(
                f"checkpoint {checkpoint.path} is of another model ({name} is {_shown(there)} there, "
                f"{_shown(here)} here); use a new --workdir"
            )
    for name, variable in variables.items():
        variable.assign(checkpoint.arrays[name])


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(path for path in folder.glob("*.npz") if _NAME.fullmatch(path.name))


def _read(path: Path) -> Checkpoint:
    with np.load(path, allow_pickle=False) as file:
        if "variable_0" in file.files:
            raise UserError(
                f"checkpoint {path} is of an older version, which knew variables by their order; use a new "
                "--workdir"
            )
        arrays = {name: file[name] for name in file.files}
        return Checkpoint(path, arrays, json.loads(str(arrays.pop(_STATE))))


def _shown(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else f"of shape {list(shape)}"
