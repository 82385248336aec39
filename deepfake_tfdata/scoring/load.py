"""A trained detector from its run or its file."""

from pathlib import Path

import keras

# Keras finds a layer of ours in a file only where its class has been imported.
import deepfake_tfdata.model.resize  # noqa: F401
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.pixels import VIEW
from deepfake_tfdata.scoring.runs import MODEL_FILE


def load_detector(place: str | Path) -> keras.Model:
    """Loads a detector, resized or native, for inference or for further training.

    Args:
        place: the workdir of a run, whose best model on the validation is taken; or a .keras file.

    Returns:
        As `build_detector`.

    Raises:
        UserError: there is none, or it can't be read.
    """
    path = Path(place)
    path = path / MODEL_FILE if path.is_dir() else path
    if not path.is_file():
        raise UserError(f"no model in {path}; the run ended before its first epoch did, so train again")
    try:
        detector = keras.models.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} can't be loaded ({str(error).splitlines()[0]}); train again into a new --workdir"
        ) from None
    if any(len(each.shape) == 2 and each.shape[1] != len(VIEW) for each in detector.inputs):
        raise UserError(f"{path} takes views of another version of this project; train again")
    return detector
