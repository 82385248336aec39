"""Every plot, as a file for the screen, a file for paper and the numbers that are drawn.

A figure is made without pyplot, whose global state leaks between callers and picks a window system.
"""

from deepfake_tfdata.reports.plots.calibration import reliability_plot, risk_coverage_plot, tippett_plot
from deepfake_tfdata.reports.plots.canvas import CLASSES, Plot
from deepfake_tfdata.reports.plots.detector import (
    attention_over_time,
    confusion_matrix,
    ranking_curves,
    roc,
    score_histogram,
)
from deepfake_tfdata.reports.plots.faces import face_size_histogram
from deepfake_tfdata.reports.plots.intervals import Point, Row, curve, forest
from deepfake_tfdata.reports.plots.timeline import face_timeline

__all__ = [
    "CLASSES",
    "Plot",
    "Point",
    "Row",
    "attention_over_time",
    "confusion_matrix",
    "curve",
    "face_size_histogram",
    "face_timeline",
    "forest",
    "ranking_curves",
    "reliability_plot",
    "risk_coverage_plot",
    "roc",
    "score_histogram",
    "tippett_plot",
]
