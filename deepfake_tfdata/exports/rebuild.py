"""A trained detector rebuilt for an export: in float32, of operations that every format knows."""

from typing import Any

import keras
from keras import ops

from deepfake_tfdata.model.resize import ResizeView


class SharedView(ResizeView):
    """A `ResizeView` of batches whose clips share a size and a view: a loop over clips can't be exported."""

    def call(self, frames: keras.KerasTensor, view: keras.KerasTensor) -> keras.KerasTensor:
        """As `ResizeView.call`; of the views only the first counts."""
        images = ops.reshape(frames, (-1, *ops.shape(frames)[2:]))
        resized = self.resized(images, view[0])
        return ops.reshape(resized, (-1, frames.shape[1], self.size, self.size, 3))


def in_float32(detector: keras.Model) -> keras.Model:
    """The same detector, computing in float32, whatever the policy of its training."""
    return _rebuilt(detector, {})


def exportable(detector: keras.Model, unroll: bool, reduces: bool | None) -> keras.Model:
    """The detector in float32, for batches that share a view, without cuDNN's LSTM.

    Args:
        detector: built or loaded.
        reduces: as in `ResizeView`, of the only view that it will see.
        unroll: whether the LSTM's steps stand one after another, for formats that know no loop over them.
    """
    with keras.saving.custom_object_scope({"deepfake_tfdata>ResizeView": SharedView}):
        # cuDNN's LSTM is one operation that only a GPU has (keras-team/keras#21799).
        rebuilt = _rebuilt(detector, {"unroll": unroll, "use_cudnn": False})
    for layer in rebuilt.layers:
        if isinstance(layer, SharedView):
            layer.reduces = reduces
    return rebuilt


def _rebuilt(detector: keras.Model, of_lstm: dict[str, Any]) -> keras.Model:
    rebuilt = type(detector).from_config(_changed(detector.get_config(), of_lstm))
    rebuilt.set_weights(detector.get_weights())
    return rebuilt


def _changed(config: Any, of_lstm: dict[str, Any]) -> Any:
    """A configuration in which all policies are float32, and LSTMs have these values."""
    if isinstance(config, list | tuple):
        return type(config)(_changed(each, of_lstm) for each in config)
    if not isinstance(config, dict):
        return config
    config = {name: _changed(value, of_lstm) for name, value in config.items()}
    if config.get("class_name") == "DTypePolicy" and config["config"]["name"].startswith("mixed_"):
        config["config"] = {"name": "float32"}
    if config.get("class_name") == "LSTM":
        config["config"] = {**config["config"], **of_lstm}
    return config
