"""Trains on a number of logical CPU devices and prints, as JSON, what came of it. Run as a script.

Arguments: number of devices, and the fields of TrainConfig to set, as JSON.
"""

import json
import sys
from contextlib import nullcontext

import numpy as np
import tensorflow as tf

from deepfake_tfdata.training import run
from deepfake_tfdata.training.config import TrainConfig
from deepfake_tfdata.training.loop import Trainer
from deepfake_tfdata.training.optimization import OptimizerConfig

OPTIMIZER = {
    "learning_rate": 1e-3,
    "schedule": "constant",
    "warmup_epochs": 0,
    "weight_decay": 0.004,
    "clip_norm": 0.0,
    "ema": 0.0,
}
DEFAULTS = {
    "region": "mouth",
    "share_backbone": False,
    "head": "attention",
    "backbone": "meso4",
    "weights": "none",
    "lstm_units": 8,
    "dropout": 0.0,
    "epochs": 2,
    "patience": 9,
    "batch_size": 4,
    "cache_features": False,
    "freeze_epochs": 0,
    "finetune_layers": 0,
    "finetune_learning_rate": 1e-5,
    "label_smoothing": 0.0,
    "accumulation": 1,
    "augment": "default",
    "frame_size": 0,
    "balance": "none",
    "pairs": False,
    "skip_corrupt": False,
    "cache_dir": "",
    "data_service": "",
    "steps_per_call": 1,
    "profile_steps": "",
    "checkpoint_steps": 100,
    "strategy": "auto",
    "jit_compile": False,
    "precision": "float32",
    "seed": 1,
    "deterministic": False,
}


def main(devices: int, changes: dict) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    optimizer = {**OPTIMIZER, **changes.pop("optimizer", {})}
    config = TrainConfig(**{**DEFAULTS, "optimizer": OptimizerConfig(**optimizer), **changes})
    losses, trainers = [], []
    record_losses(losses, trainers)
    run.train(config, lambda steps: nullcontext(lambda note: None), lambda: False)
    (trainer,) = trainers
    print(
        json.dumps(
            {
                "replicas": trainer.strategy.num_replicas_in_sync,
                "losses": losses,
                "history": trainer.progress.history,
                "replica_difference": replica_difference(trainer),
            }
        )
    )


def record_losses(losses: list[float], trainers: list[Trainer]) -> None:
    """Makes the trainer leave itself and each step's exact loss in the lists."""
    make_steps = Trainer._make_steps

    def recording(trainer, *arguments):
        done = len(trainer.progress.losses)
        make_steps(trainer, *arguments)
        losses.extend(trainer.progress.losses[done:])
        if trainer not in trainers:
            trainers.append(trainer)

    Trainer._make_steps = recording


def replica_difference(trainer: Trainer) -> float:
    """By how much any variable, BatchNorm's statistics among them, differs between local replicas."""
    local = trainer.strategy.experimental_local_results
    return max(
        float(np.max(np.abs(local(variable.value)[0].numpy() - value.numpy())))
        for variable in trainer.model.variables
        for value in local(variable.value)
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
