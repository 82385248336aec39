"""Detect manipulated face video with region-based temporal attention.

`load_clips`, `detector_inputs` and `build_detector` are the Python API; TensorFlow is imported when one is
first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepfake_tfdata.input.dataset import detector_inputs, load_clips
    from deepfake_tfdata.model.detector import build_detector

__version__ = "0.1.0"
__all__ = ["build_detector", "detector_inputs", "load_clips"]
_INPUT = ("detector_inputs", "load_clips")


def __getattr__(name: str) -> Any:
    if name in _INPUT:
        from deepfake_tfdata.input import dataset

        return getattr(dataset, name)
    if name == "build_detector":
        from deepfake_tfdata.model.detector import build_detector

        return build_detector
    raise AttributeError(f"module 'deepfake_tfdata' has no attribute '{name}'")
