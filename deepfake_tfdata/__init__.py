"""Detect manipulated face video with region-based temporal attention.

The names in `__all__` are the Python API; TensorFlow is imported when one of them is first used.
`deepfake_tfdata.training` has `train` and its `TrainConfig`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepfake_tfdata.input.dataset import detector_inputs, load_clips
    from deepfake_tfdata.model.detector import build_detector
    from deepfake_tfdata.scoring.load import load_detector

__version__ = "0.1.0"
__all__ = ["build_detector", "detector_inputs", "load_clips", "load_detector"]
_HOMES = {
    "build_detector": "model.detector",
    "detector_inputs": "input.dataset",
    "load_clips": "input.dataset",
    "load_detector": "scoring.load",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"deepfake_tfdata.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'deepfake_tfdata' has no attribute '{name}'")
