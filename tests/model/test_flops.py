"""Operations are counted as papers count them, and as one counts by hand."""

import keras
import pytest

from deepfake_tfdata.model.assembly import assemble_detector
from deepfake_tfdata.model.detector import build_detector
from deepfake_tfdata.model.flops import count_flops


def detector(head="control", num_frames=2, lstm_units=4, backbone="meso4", frame_size=32):
    return build_detector(backbone, head, num_frames, frame_size, "none", lstm_units=lstm_units)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone", "multiply_adds"),
    [
        ("efficientnet_b0", 0.39e9),  # Tan and Le 2019, table 2
        ("mobilenet_v3_large", 0.219e9),  # Howard et al. 2019, table 3
        ("convnext_tiny", 4.5e9),  # Liu et al. 2022, table 1
    ],
)
def test_backbones_count_as_in_their_papers(backbone, multiply_adds):
    flops = count_flops(detector(backbone=backbone, num_frames=1, frame_size=224, lstm_units=1))
    # The papers' networks end in a classifier, which adds up to 4.5 million.
    assert flops / 2 == pytest.approx(multiply_adds, rel=0.025)


def test_layers_are_counted_by_hand():
    layers_and_multiply_adds = [
        (keras.layers.Conv2D(6, 3, strides=2), 19**2 * 3**2 * 3 * 6),
        (keras.layers.Conv2D(6, 3, padding="same", groups=2), 19**2 * 3**2 * 3 * 6),
        (keras.Sequential([keras.layers.DepthwiseConv2D(5, strides=2)]), 8**2 * 5**2 * 6),
        (keras.layers.SeparableConv2D(8, 3), 6**2 * (3**2 * 6 + 6 * 8)),
        (keras.layers.Dense(12), 6**2 * 8 * 12),
        (keras.layers.GlobalAveragePooling2D(), 0),
        (keras.layers.Dense(5, use_bias=False), 12 * 5),
    ]
    features = images = keras.Input((40, 40, 3))
    for layer, _ in layers_and_multiply_adds:
        features = layer(features)
    backbone = keras.Model(images, features, name="backbone")
    expected = sum(multiply_adds for _, multiply_adds in layers_and_multiply_adds)
    counts = [
        count_flops(assemble_detector(backbone, "max", num_frames, lstm_units=1)) for num_frames in (1, 2)
    ]
    # A second frame costs the backbone and a step of an LSTM with one unit in both directions.
    assert counts[1] - counts[0] == 2 * (expected + 2 * 4 * (5 + 1))


def test_the_temporal_part_is_counted_by_hand():
    frames, features, units = 7, 16, 4
    step = 4 * units * (features + units)
    lstm, classifier = 2 * frames * step, 2 * units
    backbone = count_flops(detector(num_frames=1, lstm_units=1)) // 2 - (2 * 4 * (features + 1) + 2)
    control = frames * backbone + lstm + classifier
    assert count_flops(detector("control", frames)) == 2 * control
    width = 2 * units
    assert count_flops(detector("attention", frames)) == 2 * (control + frames * width)
    transformer = frames * (4 + 2 + 2) * width**2 + 2 * frames**2 * width
    assert count_flops(detector("transformer", frames)) == 2 * (control + transformer)
