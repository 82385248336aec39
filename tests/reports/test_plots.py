import pytest
from matplotlib.image import imread

from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.reports import plots

PNG = b"\x89PNG\r\n\x1a\n"


def all_plots(videos):
    metrics = evaluate(videos)
    return [
        plots.confusion_matrix(metrics),
        plots.roc(videos, metrics),
        plots.score_histogram(videos, 0.5),
        plots.attention_over_time(videos.labels, videos.attention),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("rows", [slice(None), slice(0, 3), slice(3, 6), slice(0, 1)])
def test_every_split_can_be_drawn(make_predictions, rows):
    videos = make_predictions(num_sources=3, num_frames=4).select(rows)
    assert all(image.startswith(PNG) for image in all_plots(videos))


def test_one_frame_can_be_drawn(make_predictions):
    videos = make_predictions(num_sources=3, num_frames=1)
    assert plots.attention_over_time(videos.labels, videos.attention).startswith(PNG)


@pytest.mark.slow
def test_pictures_are_the_same_each_time_and_large_enough(make_predictions, tmp_path):
    videos = make_predictions(num_frames=4)
    assert all_plots(videos) == all_plots(videos)
    (tmp_path / "roc.png").write_bytes(all_plots(videos)[1])
    height, width, _ = imread(tmp_path / "roc.png").shape
    assert min(height, width) >= 600


def test_a_better_detector_has_a_different_curve(make_predictions):
    images = [
        plots.roc(videos, evaluate(videos))
        for videos in (make_predictions(separation=0), make_predictions(separation=4))
    ]
    assert images[0] != images[1]
    ranking = [
        plots.ranking_curves(videos.labels, videos.scores)
        for videos in (make_predictions(separation=0), make_predictions(separation=4))
    ]
    assert ranking[0] != ranking[1]
