"""Names of variables: the same for every model of a kind, whatever the process made before."""

import keras
import numpy as np
import pytest

from deepfake_tfdata import build_detector
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.training.checkpoints import newest_checkpoint, restore, save_checkpoint
from deepfake_tfdata.training.optimization import build_for, build_optimizer
from deepfake_tfdata.training.options import OptimizerOptions
from deepfake_tfdata.training.variable_names import model_variables, optimizer_variables


def small_model(units=2):
    """Layers that nobody named, two of a kind, with seeds."""
    inputs = keras.Input((4, 3))
    x = keras.layers.Bidirectional(keras.layers.LSTM(units, name="lstm"))(inputs)
    x = keras.layers.Dropout(0.5)(keras.layers.Dense(units)(x))
    x = keras.layers.BatchNormalization()(keras.layers.Dense(units)(x))
    return keras.Model(inputs, keras.layers.Dense(1, name="classifier")(x))


def named(model, loss_scaling=False):
    optimizer = build_optimizer(OptimizerOptions(), 16, 10, 5, loss_scaling)
    build_for(optimizer, model.trainable_variables)
    of_model = model_variables(model)
    return {**of_model, **optimizer_variables(optimizer, of_model)}, [*model.variables, *optimizer.variables]


@pytest.mark.parametrize("loss_scaling", [False, True])
def test_the_second_model_of_a_process_has_the_names_of_the_first(loss_scaling):
    (first, variables), (second, _) = (named(small_model(), loss_scaling) for _ in range(2))
    assert list(first) == list(second)
    assert {id(variable) for variable in first.values()} == {id(variable) for variable in variables}
    assert {
        "bidirectional/forward_lstm/lstm_cell/kernel",
        "dense/kernel",
        "dense_1/kernel",
        "dropout/seed_generator_state",
        "batch_normalization/moving_mean",
        "classifier/bias",
    } <= first.keys()
    inner = "inner_optimizer/" if loss_scaling else ""
    assert {f"{inner}iterations", f"{inner}momentums/dense_1/kernel"} <= first.keys()


def test_every_variable_of_a_detector_has_a_name():
    regions = {"regions": ("full", "mouth")}
    first, second = (
        build_detector("meso4", "transformer", 2, 32, "none", lstm_units=4, **regions) for _ in range(2)
    )
    names = model_variables(first)
    assert len(names) == len(first.variables)
    assert list(names) == list(model_variables(second))
    assert "backbone_mouth/block1_conv/kernel" in names


def test_a_checkpoint_goes_by_name_not_by_order(tmp_path):
    (first, _), (second, _) = named(small_model()), named(small_model())
    for number, variable in enumerate(first.values()):
        variable.assign(np.full(variable.shape, number))
    save_checkpoint(tmp_path, 1, dict(reversed(first.items())), {})
    restore(newest_checkpoint(tmp_path), second)
    for name, variable in first.items():
        np.testing.assert_array_equal(np.asarray(second[name]), np.asarray(variable), err_msg=name)


def test_another_models_is_refused_by_the_first_variable_that_differs(tmp_path):
    smaller = model_variables(small_model())
    save_checkpoint(tmp_path, 1, smaller, {})
    larger = model_variables(small_model(units=3))
    with pytest.raises(
        UserError, match=r"forward_lstm/lstm_cell/kernel is of shape \[3, 8\] there, of .*3, 12"
    ):
        restore(newest_checkpoint(tmp_path), larger)
    lacking = {name: variable for name, variable in smaller.items() if name != "dense_1/bias"}
    with pytest.raises(UserError, match=r"dense_1/bias is of shape \[2\] there, missing here"):
        restore(newest_checkpoint(tmp_path), lacking)


def test_one_that_knew_variables_by_their_order_is_of_an_older_version(tmp_path):
    np.savez(tmp_path / "step-000000001.npz", variable_0=np.zeros(2), state=np.array("{}"))
    with pytest.raises(UserError, match="of an older version"):
        newest_checkpoint(tmp_path)
