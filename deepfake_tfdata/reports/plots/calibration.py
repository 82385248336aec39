"""The plots of calibrated scores."""

import numpy as np

from deepfake_tfdata.evaluation.calibration_figures import (
    even_posterior,
    reliability,
    risk_coverage,
    tippett,
)
from deepfake_tfdata.reports.plots.canvas import BLUE, CLASSES, GREY, VERMILION, Columns, Plot, canvas, styled


@styled
def tippett_plot(labels: np.ndarray, log10_ratios: np.ndarray, bounds: tuple[float, float]) -> Plot:
    """The share of the videos of each class whose likelihood ratio is at least so large.

    Args:
        labels: int [N].
        log10_ratios: float [N].
        bounds: of the ratios, log10.
    """
    figure, axes = canvas("Tippett plot", "log10 of the likelihood ratio", "share of videos at or above")
    reach = max(1.0, *map(abs, bounds)) * 1.1
    numbers: list[Columns] = []
    for label, name, colour in CLASSES:
        ratios, shares = tippett(log10_ratios[labels == label])
        if not len(ratios):
            continue
        x = np.concatenate([[-reach], ratios, [reach]])
        y = np.concatenate([[1.0], shares, [0.0]])
        axes.step(x, y, where="pre", color=colour, label=name)
        numbers.append({"class": [name], "log10_likelihood_ratio": ratios, "share_at_or_above": shares})
    axes.axvline(0, color=GREY, linewidth=1, label="says nothing")
    axes.vlines(bounds, 0, 1.01, linestyles=":", color=GREY, linewidth=1, label="bounds")
    axes.set(xlim=(-reach, reach), ylim=(0, 1.01))
    axes.legend()
    return Plot(figure, "Tippett plot", numbers)


@styled
def reliability_plot(labels: np.ndarray, scores: np.ndarray, log_ratios: np.ndarray) -> Plot:
    """How often what is called so likely is fake, of the detector's scores and of the calibrated ones.

    Args:
        labels: int [N], of both classes.
        scores: float [N], as the detector gave them.
        log_ratios: float [N], base e.
    """
    figure, axes = canvas("Reliability", "probability of fake, said", "share of fakes among them")
    axes.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1, label="as said")
    numbers: list[Columns] = []
    for name, marker, colour, posteriors in (
        ("uncalibrated", "o", VERMILION, scores),
        ("calibrated", "s", BLUE, even_posterior(log_ratios)),
    ):
        said, fake, mass, count = reliability(labels, posteriors)
        axes.plot(said, fake, marker=marker, color=colour, label=name, clip_on=False)
        numbers.append(
            {"series": [name], "said": said, "share_of_fakes": fake, "weight": mass, "videos": count}
        )
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(loc="upper left")
    return Plot(figure, "Reliability", numbers)


@styled
def risk_coverage_plot(labels: np.ndarray, log_ratios: np.ndarray) -> Plot:
    """The error rate among the most confident videos.

    Args:
        labels: int [N].
        log_ratios: float [N], base e, not bounded, so that confidence tells more videos apart.
    """
    figure, axes = canvas("Risk and coverage", "share of videos answered", "error rate among them")
    coverage, risk = risk_coverage(labels, log_ratios)
    axes.plot(coverage, risk, color=BLUE, marker="o", markersize=2, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, max(0.05, 1.1 * float(risk.max()))))
    return Plot(figure, "Risk and coverage", [{"coverage": coverage, "risk": risk}])
