"""Augmentation of whole clips: every frame alike, so that no false temporal signal is made."""

from deepfake_tfdata.input.augment.common import clip_seed
from deepfake_tfdata.input.augment.registry import (
    AUGMENTATIONS,
    Augmentation,
    augment_clip,
    parse_augmentations,
)

__all__ = ["AUGMENTATIONS", "Augmentation", "augment_clip", "clip_seed", "parse_augmentations"]
