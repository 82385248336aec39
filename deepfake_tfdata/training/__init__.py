"""Trains a detector: devices, steps, stages, the loop around them, and what resumes it.

`train` and `TrainConfig` are the Python API; TensorFlow is imported when `train` is first used.
"""

from typing import TYPE_CHECKING, Any

from deepfake_tfdata.training.config import TrainConfig

if TYPE_CHECKING:
    from deepfake_tfdata.training.run import train

__all__ = ["TrainConfig", "train"]


def __getattr__(name: str) -> Any:
    if name == "train":
        from deepfake_tfdata.training.run import train

        return train
    raise AttributeError(f"module 'deepfake_tfdata.training' has no attribute '{name}'")
