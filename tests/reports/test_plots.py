"""The plots: files that are the same each time, and the numbers that are drawn."""

import csv
import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.image import imread
from sklearn.metrics import auc

from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.reports import plots
from deepfake_tfdata.reports.plots import Point, Row

PNG = b"\x89PNG\r\n\x1a\n"
ROWS = (
    Row("M - Ml", 0.04, 0.01, 0.07, "better"),
    Row("a name " * 20, -0.02, -0.06, 0.02),
    Row("none", *[None] * 3),
)
SERIES = {
    "attention": [Point(0.25, 0.6, 0.5, 0.7), Point(0.5, 0.7, 0.62, 0.78), Point(1, 0.9, 0.85, 0.97)],
    "control": [Point(0.25, 0.55, 0.45, 0.65), Point(1, 0.8, 0.72, 0.86)],
}


def draw_forest():
    return plots.forest(ROWS, title="Arms", x_label="difference of AUC", reference=0, margin=0.03)


def draw_curve():
    return plots.curve(SERIES, title="Curve", x_label="retention", y_label="AUC", reference=0.5, log2_x=True)


def all_plots(videos):
    metrics = evaluate(videos)
    return [
        plots.confusion_matrix(metrics),
        plots.roc(videos, metrics),
        plots.score_histogram(videos, 0.5),
        plots.attention_over_time(videos.labels, videos.attention),
    ]


def table(plot) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(plot.numbers)))


def files(plot) -> tuple[bytes, bytes, str]:
    return plot.png, plot.svg, plot.numbers


def columns(rows, *names) -> np.ndarray:
    return np.array([[float(row[name]) for name in names] for row in rows])


@pytest.mark.slow
@pytest.mark.parametrize("rows", [slice(None), slice(0, 3), slice(3, 6), slice(0, 1)])
def test_every_split_can_be_drawn(make_predictions, rows):
    videos = make_predictions(num_sources=3, num_frames=4).select(rows)
    assert all(plot.png.startswith(PNG) and table(plot) for plot in all_plots(videos))


def test_one_frame_can_be_drawn(make_predictions):
    videos = make_predictions(num_sources=3, num_frames=1)
    assert plots.attention_over_time(videos.labels, videos.attention).png.startswith(PNG)


@pytest.mark.slow
def test_plots_are_the_same_each_time_and_large_enough(make_predictions, tmp_path):
    videos = make_predictions(num_frames=4)
    assert list(map(files, all_plots(videos))) == list(map(files, all_plots(videos)))
    (tmp_path / "roc.png").write_bytes(all_plots(videos)[1].png)
    height, width, _ = imread(tmp_path / "roc.png").shape
    assert min(height, width) >= 600


@pytest.mark.parametrize("draw", [draw_forest, draw_curve])
def test_an_svg_is_as_wide_as_a_column_its_text_is_text_and_its_bytes_are_the_same(draw):
    plot = draw()
    assert files(plot) == files(draw())
    root = ET.fromstring(plot.svg)
    assert root.get("width") == "252pt"
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"difference of AUC", "M - Ml", "better", "undefined"} <= set(texts) or {
        "retention",
        "AUC",
    } <= set(texts)
    assert b"<dc:date>" not in plot.svg and b"<dc:title>" in plot.svg


def test_a_better_detector_has_a_different_curve(make_predictions):
    one, other = (
        plots.roc(videos, evaluate(videos)).numbers
        for videos in (make_predictions(separation=0), make_predictions(separation=4))
    )
    assert one != other


def test_the_numbers_of_a_roc_curve_are_those_drawn(make_predictions):
    videos = make_predictions()
    metrics = evaluate(videos)
    plot = plots.roc(videos, metrics)
    rows = table(plot)
    drawn = np.concatenate([line.get_xydata() for line in plot.figure.axes[0].lines])
    np.testing.assert_array_equal(columns(rows, "false_positive_rate", "true_positive_rate"), drawn)
    curve = columns(
        [row for row in rows if row["series"] == "ROC curve"], "false_positive_rate", "true_positive_rate"
    )
    assert auc(curve[:, 0], curve[:, 1]) == pytest.approx(metrics["auc"])
    (_, fp), (fn, tp) = metrics["confusion_matrix"]
    assert rows[-1]["series"] == "threshold 0.5"
    assert float(rows[-1]["false_positive_rate"]) == fp / 20 and float(
        rows[-1]["true_positive_rate"]
    ) == tp / (fn + tp)


def test_the_numbers_of_a_confusion_matrix_are_its_counts(make_predictions):
    metrics = evaluate(make_predictions())
    (tn, fp), (fn, tp) = metrics["confusion_matrix"]
    counts = {
        (row["true"], row["predicted"]): int(row["videos"]) for row in table(plots.confusion_matrix(metrics))
    }
    assert counts == {("real", "real"): tn, ("real", "fake"): fp, ("fake", "real"): fn, ("fake", "fake"): tp}


def test_the_numbers_of_histograms_count_every_video(make_predictions):
    videos = make_predictions()
    plot = plots.score_histogram(videos, 0.5)
    rows = table(plot)
    for stairs, name, label in zip(plot.figure.axes[0].patches, ("real", "fake"), (0, 1), strict=True):
        counts, edges, _ = stairs.get_data()
        np.testing.assert_array_equal(columns(rows, name)[:, 0], counts)
        np.testing.assert_array_equal(columns(rows, "from_score", "to_score")[:, 0], edges[:-1])
        assert counts.sum() == (videos.labels == label).sum()
    sizes = table(plots.face_size_histogram({"real": [1, 2], "fake": [0, 4]}, [50.0, 70.0, 100.0], 224))
    assert columns(sizes, "from_pixels", "to_pixels", "real", "fake").tolist() == [
        [50, 70, 1, 0],
        [70, 100, 2, 4],
    ]


def test_the_numbers_of_attention_are_the_lines_and_the_shades(make_predictions):
    videos = make_predictions(num_frames=4)
    plot = plots.attention_over_time(videos.labels, videos.attention)
    rows = table(plot)
    drawn = [line.get_xydata() for line in plot.figure.axes[0].lines[:2]]
    np.testing.assert_array_equal(columns(rows, "frame", "mean"), np.concatenate(drawn))
    fakes = videos.attention[videos.labels == 1]
    low, high = np.quantile(fakes, (0.25, 0.75), axis=0)
    np.testing.assert_allclose(
        columns(rows[4:], "lower_quartile", "upper_quartile"), np.transpose([low, high])
    )
    assert [row["class"] for row in rows] == ["real"] * 4 + ["fake"] * 4


def test_the_numbers_of_calibrated_scores_are_those_drawn():
    labels, ratios = np.array([0, 0, 1, 1]), np.array([-1.0, 0.5, 0.2, 1.5])
    plot = plots.tippett_plot(labels, ratios, (-2.0, 1.5))
    drawn = [line.get_xydata()[1:-1] for line in plot.figure.axes[0].lines[:2]]  # the ends reach the margins
    shown = columns(table(plot), "log10_likelihood_ratio", "share_at_or_above")
    np.testing.assert_array_equal(shown, np.concatenate(drawn))
    assert shown.tolist() == [[-1, 1], [0.5, 0.5], [0.2, 1], [1.5, 0.5]]
    plot = plots.reliability_plot(labels, np.array([0.1, 0.6, 0.7, 0.9]), 3 * ratios)
    drawn = [line.get_xydata() for line in plot.figure.axes[0].lines[1:]]
    np.testing.assert_array_equal(columns(table(plot), "said", "share_of_fakes"), np.concatenate(drawn))
    plot = plots.risk_coverage_plot(labels, ratios)
    (line,) = plot.figure.axes[0].lines
    np.testing.assert_array_equal(columns(table(plot), "coverage", "risk"), line.get_xydata())
    assert line.get_ydata()[0] == 0 and line.get_xdata()[-1] == 1


def test_a_forest_has_an_interval_a_row_and_its_figures_in_words():
    plot = draw_forest()
    plot.figure.draw_without_rendering()
    rows = table(plot)
    axes = plot.figure.axes[0]
    assert [row["name"] for row in rows] == [row.name for row in ROWS]
    assert rows[0] | {"name": ""} == {
        **{"name": "", "estimate": "0.04", "low": "0.01", "high": "0.07", "note": "better"},
        **{"reference": "0", "margin": "0.03"},
    }
    assert rows[2]["estimate"] == rows[2]["low"] == ""
    reference, *drawn = [line.get_xdata() for line in axes.lines]
    assert list(reference) == [0, 0]
    assert [list(np.ravel(each)) for each in drawn] == [[0.01, 0.07], [0.04], [-0.06, 0.02], [-0.02]]
    (band,) = axes.patches
    corners = band.get_patch_transform().transform(band.get_path().vertices)[:, 0]  # older ones are polygons
    assert (corners.min(), corners.max()) == pytest.approx((-0.03, 0.03))
    texts = [text.get_text() for text in axes.texts]
    assert "0.040 [0.010, 0.070]" in texts and "\N{MINUS SIGN}0.020 [\N{MINUS SIGN}0.060, 0.020]" in texts
    # Rows from the top, none over another, no text beyond the figure.
    heights = [line.get_ydata()[0] for line in axes.lines[1::2]]
    assert heights == sorted(heights) and axes.yaxis_inverted()
    width = plot.figure.bbox.width
    extents = [text.get_window_extent() for text in axes.texts]
    assert all(extent.x0 >= 0 and extent.x1 <= width for extent in extents)


def test_a_curve_is_drawn_where_its_numbers_are():
    plot = draw_curve()
    plot.figure.draw_without_rendering()
    rows = table(plot)
    axes = plot.figure.axes[0]
    lines = axes.lines[1:]  # the first is the reference
    drawn = np.concatenate([line.get_xydata() for line in lines])
    np.testing.assert_array_equal(columns(rows, "x", "estimate"), drawn)
    intervals = np.concatenate([part.get_segments() for part in axes.collections])
    np.testing.assert_array_equal(columns(rows, "low", "high"), intervals[:, :, 1])
    assert [row["series"] for row in rows] == ["attention"] * 3 + ["control"] * 2
    # Side by side, told apart without colour, too; the axis names the points.
    one, other = (line.get_transform().transform((1, 0.5)) for line in lines)
    assert 1 < abs(one[0] - other[0]) < 20 and one[1] == other[1]
    assert len({(line.get_marker(), line.get_linestyle()) for line in lines}) == 2
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.25", "0.5", "1"]
    assert len(plot.figure.legends) == 1


def test_one_series_needs_no_legend_and_many_points_no_ticks_of_their_own():
    points = [Point(x, x, x - 1, x + 1) for x in range(30)]
    plot = plots.curve({"": points}, title="", x_label="x", y_label="y")
    assert not plot.figure.legends and len(plot.figure.axes[0].get_xticks()) < 20
    low, high = plot.figure.axes[0].get_ylim()
    assert low < -1 and high > 30
