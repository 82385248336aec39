"""Augmentation of whole clips: every frame alike, so that no false temporal signal is made."""

from deepfake_tfdata.input.augment.common import clip_seed
from deepfake_tfdata.input.augment.corrupt import corrupt_clip
from deepfake_tfdata.input.augment.registry import (
    OPERATIONS,
    Augmentation,
    augment_clip,
    augment_native_clip,
)

__all__ = [
    "OPERATIONS",
    "Augmentation",
    "augment_clip",
    "augment_native_clip",
    "clip_seed",
    "corrupt_clip",
]
