"""Checkpoints: everything a run needs to go on, in one file that is whole or not there."""

import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import atomic_path

_KEPT = 3
_NAME = re.compile(r"epoch-(\d+)\.npz")


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after an epoch.

    Attributes:
        arrays: values of the model's and the optimizer's variables, in their order.
        progress: what else the run needs, as JSON holds it.
    """

    arrays: list[np.ndarray]
    progress: dict[str, Any]


def variables_of(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Every variable that decides how training goes on, in a fixed order."""
    return [*model.variables, *optimizer.variables]


def save_checkpoint(
    folder: Path, epoch: int, variables: Sequence[keras.Variable], progress: dict[str, Any]
) -> None:
    """Writes the state after an epoch, and removes all but the newest few."""
    arrays = {f"variable_{i}": np.asarray(variable) for i, variable in enumerate(variables)}
    with atomic_path(folder / f"epoch-{epoch:05d}.npz") as temporary:
        np.savez(temporary, progress=np.array(json.dumps(progress)), **arrays)
    for old in list_checkpoints(folder)[:-_KEPT]:
        old.unlink()


def load_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint; zip's checksums are verified by the reading.

    Raises:
        UserError: it is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[f"variable_{i}"] for i in range(len(file.files) - 1)]
            return Checkpoint(arrays, json.loads(str(file["progress"])))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        raise UserError(f"checkpoint {path} is damaged; delete it to go on from the one before") from None


def restore(checkpoint: Checkpoint, variables: Sequence[keras.Variable], path: Path) -> None:
    """Puts a checkpoint's values into variables.

    Raises:
        UserError: it is another model's.
    """
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [array.shape for array in checkpoint.arrays]:
        raise UserError(f"checkpoint {path} is of another model; use a new --workdir")
    for variable, array in zip(variables, checkpoint.arrays, strict=True):
        variable.assign(array)


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(path for path in folder.glob("*.npz") if _NAME.fullmatch(path.name))
