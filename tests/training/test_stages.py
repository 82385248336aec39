import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector, load_detector
from deepfake_tfdata.model.assembly import assemble_detector
from deepfake_tfdata.training.optimization import scaled_learning_rate
from deepfake_tfdata.training.options import LoopOptions, OptimizerOptions, StageOptions
from deepfake_tfdata.training.stages import Stage, plan_stages, set_trainable, stage_at, trained_model
from deepfake_tfdata.training.step_plan import StepPlan

RATE, FINETUNE_RATE = 0.01, 0.001
STEPS = 5  # an epoch


def stage(first_epoch=0, frozen=False, top_layers=0):
    return Stage(first_epoch, frozen, top_layers, keras.optimizers.SGD())


@pytest.fixture(scope="module")
def detector():
    return build_detector("meso4", "control", 2, 32, "none", lstm_units=4)


def test_an_epoch_belongs_to_the_last_stage_that_has_begun():
    stages = [stage(0), stage(3)]
    assert [stage_at(stages, epoch) is stages[1] for epoch in range(5)] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("freeze_epochs", "epochs", "expected"),
    [
        (0, 3, [(0, False, RATE)]),
        (1, 3, [(0, True, RATE), (1, False, FINETUNE_RATE)]),
        (3, 3, [(0, True, RATE)]),
        (5, 3, [(0, True, RATE)]),
        (0, 0, [(0, False, RATE)]),
        (2, 0, [(0, False, RATE)]),
    ],
)
def test_stages_freeze_first_and_each_goes_through_a_schedule_of_its_own(freeze_epochs, epochs, expected):
    options = StageOptions(freeze_epochs, finetune_layers=4, finetune_learning_rate=FINETUNE_RATE)
    optimizer = OptimizerOptions(RATE, schedule="cosine")
    plan = StepPlan(LoopOptions(epochs=epochs), STEPS)
    stages = plan_stages(options, optimizer, 8, plan, loss_scaling=False)
    assert [(each.first_epoch, each.frozen) for each in stages] == [each[:2] for each in expected]
    assert {each.top_layers for each in stages} == {4}
    ends = [*(each.first_epoch for each in stages[1:]), epochs]
    for each, end, (_, _, rate) in zip(stages, ends, expected, strict=True):
        steps, start = max(1, (end - each.first_epoch) * STEPS), scaled_learning_rate(rate, 8)
        rates = [float(each.optimizer._learning_rate(step)) for step in (0, steps / 2, steps)]
        assert rates == pytest.approx([start, start / 2, 0], abs=1e-9)


@pytest.mark.parametrize("top_layers", [0, 4])
def test_a_frozen_backbone_keeps_its_weights_and_statistics(detector, top_layers):
    set_trainable(detector, stage(frozen=True, top_layers=top_layers))
    backbone = detector.get_layer("backbone")
    before = backbone.get_weights()
    # Of black frames no kernel has a gradient.
    frames = np.random.default_rng(0).integers(0, 256, (2, 2, 32, 32, 3), np.uint8)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(detector(frames, training=True))
    gradients = tape.gradient(loss, detector.trainable_variables)
    keras.optimizers.SGD(1.0).apply(gradients, detector.trainable_variables)
    assert not backbone.trainable_variables
    assert detector.trainable_variables
    for old, new in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_top_learns_without_its_batch_normalization(detector):
    set_trainable(detector, stage(top_layers=4))
    backbone = detector.get_layer("backbone")
    names = {variable.path.split("/")[-2] for variable in backbone.trainable_variables}
    assert names == {"block4_conv"}
    set_trainable(detector, stage())
    assert len(backbone.trainable_variables) == 16


def dropping_detector():
    """Its backbone drops units, and half of the batch's paths."""
    inputs = keras.Input((8, 8, 3), dtype="uint8")
    x = keras.layers.Conv2D(4, 3, name="conv")(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.BatchNormalization(name="norm")(keras.layers.Dropout(0.4, name="drop")(x))
    backbone = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x), name="backbone")
    return assemble_detector(backbone, "control", 2, lstm_units=4, dropout=0.3)


def test_a_frozen_backbone_drops_nothing_and_the_rest_goes_on_dropping():
    detector, frozen = dropping_detector(), stage(frozen=True)
    set_trainable(detector, frozen)
    trained = trained_model(detector, frozen)
    (dropout,) = (layer for layer in detector.layers if isinstance(layer, keras.layers.Dropout))
    frames = np.random.default_rng(0).integers(0, 256, (4, 2, 8, 8, 3), np.uint8)

    def two_passes():
        return [np.asarray(trained(frames, training=True)) for _ in range(2)]

    assert not np.array_equal(*two_passes())
    dropout.rate = 0.0
    first, second = two_passes()
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, np.asarray(detector(frames, training=False)), atol=1e-6)
    assert not np.array_equal(*(np.asarray(detector(frames, training=True)) for _ in range(2)))


def test_a_model_saved_while_its_backbone_is_frozen_has_its_own_rates(tmp_path):
    detector = dropping_detector()
    frozen = stage(frozen=True)
    set_trainable(detector, frozen)
    trained_model(detector, frozen)
    detector.save(tmp_path / "model.keras")
    loaded = load_detector(tmp_path / "model.keras")
    assert loaded.get_layer("backbone").get_layer("drop").rate == 0.4


def test_what_trains_with_a_frozen_backbone_is_what_the_detector_would_train():
    detector = dropping_detector()
    for each in (stage(frozen=True), stage()):
        set_trainable(detector, each)
        trained = trained_model(detector, each)
        expected = {id(variable) for variable in detector.trainable_variables}
        assert {id(variable) for variable in trained.trainable_variables} == expected
        # One that learns drops and normalizes as in training.
        assert (trained is detector) != each.frozen


def test_what_has_no_backbone_is_trained_as_it_is():
    of_features = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    assert trained_model(of_features, stage(frozen=True)) is of_features
