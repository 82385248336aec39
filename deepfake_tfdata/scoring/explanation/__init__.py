"""What speaks for fake in a clip, place by place and frame by frame, and whether that can be believed."""

from deepfake_tfdata.scoring.explanation.explainer import (
    Explainer,
    class_activation,
    frame_replacement,
    occlusion,
)

__all__ = ["Explainer", "class_activation", "frame_replacement", "occlusion"]
