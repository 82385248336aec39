"""Calibrations by hand: pairs of people whose videos have evenly spread log odds."""

import numpy as np

from deepfake_tfdata.evaluation.calibration import DetectorCalibration, ReferenceScores


def calibrated_detector(count=20, shift=3.0, methods=("Face2Face",)):
    """Log odds from -1 to 1, less `shift` of real videos and more by it of fakes; `count` components."""
    labels, components = np.repeat([0, 1], count), np.tile(np.arange(count), 2).astype(str)
    spread = np.linspace(-1, 1, count)
    keys = np.array([f"v{number}" for number in range(2 * count)])
    reference = ReferenceScores(keys, labels, components, np.concatenate([spread - shift, spread + shift]))
    ranges = {"face_pixels": (52.0, 180.0), "coverage": (0.9, 1.0), "frame_seconds": (0.08, 0.12)}
    return DetectorCalibration(reference, ranges, "ab" * 32, "1b2c3d4e5f60", methods)
