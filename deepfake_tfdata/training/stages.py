"""Stages of fine-tuning: first with a frozen backbone, then with its top layers or all of it."""

from dataclasses import dataclass, replace

import keras

from deepfake_tfdata.model.assembly import backbones_of
from deepfake_tfdata.model.halves import with_inferring_backbones
from deepfake_tfdata.training.optimization import build_optimizer
from deepfake_tfdata.training.options import OptimizerOptions, StageOptions
from deepfake_tfdata.training.step_plan import StepPlan


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


def plan_stages(
    options: StageOptions, optimizer: OptimizerOptions, batch_size: int, plan: StepPlan, loss_scaling: bool
) -> list[Stage]:
    """One stage, or two where the backbone is frozen first; to be called in the strategy's scope.

    Args:
        options: what learns when.
        optimizer: of the first stage; the second one's differs in its learning rate.
        batch_size: clips a step, over all replicas.
        plan: of the steps.
        loss_scaling: as for `build_optimizer`.
    """

    def stage(first_epoch: int, end: int, frozen: bool, learning_rate: float) -> Stage:
        built = build_optimizer(
            replace(optimizer, learning_rate=learning_rate),
            batch_size,
            plan.steps_per_epoch,
            end - first_epoch,
            loss_scaling,
        )
        return Stage(first_epoch, frozen, options.finetune_layers, built)

    epochs, rate = plan.loop.epochs, optimizer.learning_rate
    frozen_until = min(options.freeze_epochs, epochs)
    stages = [stage(0, frozen_until, True, rate)] if frozen_until else []
    if frozen_until < epochs or not stages:
        rate = options.finetune_learning_rate if frozen_until else rate
        stages.append(stage(frozen_until, epochs, False, rate))
    return stages


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


def trained_model(detector: keras.Model, stage: Stage) -> keras.Model:
    """What a stage's steps are made of: the detector, or one whose frozen backbones drop nothing."""
    return with_inferring_backbones(detector) if stage.frozen and backbones_of(detector) else detector
