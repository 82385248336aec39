"""What looks at the frames: backbones, temporal heads, the assembled detector. Keras only, on any backend."""

from deepfake_tfdata.model.assembly import assemble_detector, backbones_of
from deepfake_tfdata.model.backbones import BACKBONES, build_backbone
from deepfake_tfdata.model.detector import (
    build_detector,
    count_parameters,
    set_batch_norm_synchronized,
    with_attention,
)
from deepfake_tfdata.model.flops import count_flops
from deepfake_tfdata.model.heads import HEADS
from deepfake_tfdata.model.resize import ResizeView
from deepfake_tfdata.model.weights import load_weights_file

__all__ = [
    "BACKBONES",
    "HEADS",
    "ResizeView",
    "assemble_detector",
    "backbones_of",
    "build_backbone",
    "build_detector",
    "count_flops",
    "count_parameters",
    "load_weights_file",
    "set_batch_norm_synchronized",
    "with_attention",
]
