"""Stages of fine-tuning: first with a frozen backbone, then with its top layers or all of it."""

from dataclasses import dataclass

import keras

from deepfake_tfdata.model.assembly import backbones_of


@dataclass(frozen=True)
class Stage:
    """Part of a run with one set of trainable layers and one optimizer.

    Attributes:
        first_epoch: from 0.
        frozen: whether the backbone keeps its weights and BatchNormalization its statistics.
        top_layers: of the backbone that learn when it is not frozen; 0 means all.
        optimizer: the stage's own, built in the strategy's scope.
    """

    first_epoch: int
    frozen: bool
    top_layers: int
    optimizer: keras.optimizers.Optimizer


def stage_at(stages: list[Stage], epoch: int) -> Stage:
    """The stage that an epoch belongs to."""
    return [stage for stage in stages if stage.first_epoch <= epoch][-1]


def set_trainable(detector: keras.Model, stage: Stage) -> None:
    """Freezes and unfreezes the backbone's layers as the stage says.

    Where only the top is trained, its BatchNormalization stays frozen: the layers below were trained with its
    statistics, and small batches of clips would replace them by noise.
    """
    for backbone in backbones_of(detector):
        backbone.trainable = not stage.frozen
        top = backbone.layers[-stage.top_layers :]
        for layer in backbone.layers:
            layer.trainable = not stage.frozen
            _set_dropping(layer, not stage.frozen)
            if stage.top_layers and not stage.frozen:
                layer.trainable = layer in top and not isinstance(layer, keras.layers.BatchNormalization)


def _set_dropping(layer: keras.Layer, drops: bool) -> None:
    """Turns a layer's dropout or stochastic depth off, or on again.

    Freezing puts BatchNormalization into inference mode and nothing else: without this a frozen backbone's
    features would still be random.
    """
    for name in ("rate", "drop_path_rate"):
        if isinstance(getattr(layer, name, None), float):
            layer._own_rate = getattr(layer, "_own_rate", getattr(layer, name))
            setattr(layer, name, layer._own_rate if drops else 0.0)
