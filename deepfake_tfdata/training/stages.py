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
            if stage.top_layers and not stage.frozen:
                layer.trainable = layer in top and not isinstance(layer, keras.layers.BatchNormalization)
