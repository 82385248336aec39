import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from deepfake_tfdata.evaluation.curves import average_precision, equal_error_rate

# Few distinct scores, so that ties are common.
videos = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.integers(0, 3)),
    min_size=2,
    max_size=30,
)


@pytest.mark.parametrize(
    ("labels", "scores", "expected"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], 0.0),
        ([0, 0, 1, 1], [0.8, 0.9, 0.1, 0.2], 1.0),
        ([0, 1], [0.5, 0.5], 0.5),
        ([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], 0.5),
        ([0, 0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.5, 0.7, 0.8, 0.9], 0.25),
        # Between (0, 1/2) and (1/3, 1) of the curve, a tie: 1 - (1/2 + 3/2 x) = x at x = 1/5.
        ([0, 0, 0, 1, 1], [0.1, 0.2, 0.5, 0.5, 0.9], 0.2),
    ],
)
def test_equal_error_rate_by_hand(labels, scores, expected):
    found = equal_error_rate(np.array(labels), np.array(scores), np.ones(len(labels)))
    assert found == pytest.approx(expected)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("figure", [equal_error_rate, average_precision])
@given(videos)
def test_weights_are_repetitions(figure, rows):
    labels, scores, weights = map(np.array, zip(*rows, strict=True))
    repeated, of_repeated = np.repeat(labels, weights), np.repeat(scores, weights)
    expected = np.nan
    if len(set(repeated.tolist())) == 2:
        expected = figure(repeated, of_repeated, np.ones(len(repeated)))
    assert figure(labels, scores, weights) == pytest.approx(expected, nan_ok=True)
    both = figure(labels, scores, np.stack([weights, np.ones(len(labels))]))
    assert both[0] == pytest.approx(expected, nan_ok=True)


@given(videos.filter(lambda rows: len({label for label, _, _ in rows}) == 2))
def test_average_precision_is_scikit_learns(rows):
    labels, scores, _ = map(np.array, zip(*rows, strict=True))
    found = average_precision(labels, scores, np.ones(len(labels)))
    assert found == pytest.approx(average_precision_score(labels, scores))
