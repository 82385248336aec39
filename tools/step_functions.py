"""A detector's forward pass and training step, compiled on whichever backend Keras runs."""

import importlib
from collections.abc import Callable
from typing import Any

# Takes frames [B, T, H, W, 3] and labels [B], changes the model's weights, and gives the loss before that.
TrainStep = Callable[[Any, Any], Any]


def compile_forward(model: Any) -> Callable[[Any], Any]:
    """Compiles inference; the function takes frames and gives logits."""
    import keras

    if keras.backend.backend() == "jax":
        jax = importlib.import_module("jax")
        state = [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]
        infer = jax.jit(lambda *state_and_frames: model.stateless_call(*state_and_frames)[0])
        return lambda frames: infer(*state, frames)
    tf = importlib.import_module("tensorflow")
    return tf.function(lambda frames: model(frames, training=False))


def compile_train_step(model: Any, optimizer: Any) -> TrainStep:
    """Compiles forward pass, binary cross-entropy from logits, gradients and the optimizer's update."""
    import keras

    optimizer.build(model.trainable_variables)
    backends = {"tensorflow": _tensorflow_step, "jax": _jax_step}
    return backends[keras.backend.backend()](model, optimizer)


def _loss(labels: Any, logits: Any) -> Any:
    import keras

    return keras.ops.mean(keras.ops.binary_crossentropy(labels, logits, from_logits=True))


def _tensorflow_step(model: Any, optimizer: Any) -> TrainStep:
    tf = importlib.import_module("tensorflow")

    @tf.function
    def step(frames: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = _loss(labels, model(frames, training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return step


def _jax_step(model: Any, optimizer: Any) -> TrainStep:
    jax = importlib.import_module("jax")
    variables = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)

    def loss_and_state(trainable: Any, non_trainable: Any, frames: Any, labels: Any) -> Any:
        logits, non_trainable = model.stateless_call(trainable, non_trainable, frames, training=True)
        return _loss(labels, logits), non_trainable

    @jax.jit
    def update(state: Any, frames: Any, labels: Any) -> Any:
        trainable, non_trainable, moments = state
        gradient = jax.value_and_grad(loss_and_state, has_aux=True)
        (loss, non_trainable), gradients = gradient(trainable, non_trainable, frames, labels)
        trainable, moments = optimizer.stateless_apply(moments, gradients, trainable)
        return loss, (trainable, non_trainable, moments)

    def step(frames: Any, labels: Any) -> Any:
        state = [[variable.value for variable in group] for group in variables]
        loss, state = update(state, frames, labels)
        for group, values in zip(variables, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return loss

    return step
