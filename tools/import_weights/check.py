"""Compares the features of both networks on the same images."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.backbones import build_backbone
from tools.import_weights.original import Original

# Of the largest feature: what different orders of adding up leave of hundreds of layers in float32.
TOLERANCE = 1e-3
_IMAGES = 4
_REFERENCE = Path(__file__).with_name("reference.py")


def exact_size(backbone: str) -> int:
    """A side at which symmetric padding and TensorFlow's are the same: odd ahead of every stride of two.

    EfficientNet halves it from 65 to 33, 17, 9, 5; Xception from 71 to 35, cuts two off, then to 17, 9, 5.
    """
    return 71 if backbone == "xception" else 65


def feature_difference(
    weights: Path, backbone: str, original: Original, checkpoint: Path, python: Path, size: int, plain: bool
) -> float:
    """The largest difference between the features of both networks, as a share of the largest feature.

    Args:
        weights: the weights file of ours.
        backbone: of ours.
        original: what the checkpoint is of.
        checkpoint: for PyTorch.
        python: an interpreter that has PyTorch.
        size: of the images, pixels.
        plain: see `plain_padding` in reference.py.

    Raises:
        UserError: the original could not be run.
    """
    images = make_images(size)
    ours = np.asarray(build_backbone(backbone, size, weights)(images, training=False))
    theirs = _reference_features(original, checkpoint, python, images, plain)
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def make_images(size: int) -> np.ndarray:
    """uint8 [N, size, size, 3]: patches of colour with noise on them, always the same."""
    random = np.random.default_rng(0)
    cells = random.integers(0, 256, (_IMAGES, 8, 8, 3))
    places = np.arange(size) * 8 // size
    patches = cells[:, places][:, :, places]
    return np.clip(patches + random.normal(0, 20, patches.shape), 0, 255).astype(np.uint8)


def _reference_features(
    original: Original, checkpoint: Path, python: Path, images: np.ndarray, plain: bool
) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{name}.npy" for name in ("images", "features")}
        np.save(files["images"], images)
        command = [
            *(python, _REFERENCE, f"--checkpoint={checkpoint}", f"--family={original.family}"),
            *(f"--network={original.network}", f"--prefix={original.prefix}"),
            *("--mean", *map(str, original.mean), "--stddev", *map(str, original.stddev)),
            *(f"--{name}={file}" for name, file in files.items()),
            *(["--plain_padding"] if plain else []),
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
            raise UserError(f"--checkpoint={checkpoint} can't be run in PyTorch ({reason}); see --unchecked")
        return np.load(files["features"])
