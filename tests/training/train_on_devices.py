"""Trains on logical CPU devices and prints, as JSON, what came of it. Run as a program.

Arguments: number of devices, and for each training in turn the options of `train` to set, as JSON.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from deepfake_tfdata.options import build
from deepfake_tfdata.training import TrainConfig, summaries, train
from deepfake_tfdata.training.loop import Trainer

DEFAULTS = {
    "backbone": "meso4",
    "weights": "none",
    "lstm_units": 8,
    "dropout": 0.0,
    "epochs": 2,
    "patience": 9,
    "batch_size": 4,
    "learning_rate": 3e-4,  # Adam makes differences in rounding as large as this
    "precision": "float32",
    "seed": 1,
}


def main(devices: int, *trainings: dict) -> None:
    summaries._pictures = lambda scores: {}  # they would take longer than the steps, and test_loop has them
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    print(json.dumps([train_with(changes) for changes in trainings]))


def train_with(changes: dict) -> dict:
    losses, trainers = [], []
    with recorded_losses(losses, trainers):
        train(build(TrainConfig, {**DEFAULTS, **changes}))
    (trainer,) = trainers
    return {
        "replicas": trainer.strategy.num_replicas_in_sync,
        "losses": losses,
        "history": trainer.state.history,
        "replica_difference": replica_difference(trainer),
        "ended": time.time_ns(),
    }


@contextmanager
def recorded_losses(losses: list[float], trainers: list[Trainer]) -> Iterator[None]:
    """Makes the trainer leave itself and each step's exact loss in the lists."""
    make_steps = Trainer._make_steps

    def recording(trainer, *arguments):
        done = len(trainer.state.losses)
        make_steps(trainer, *arguments)
        losses.extend(trainer.state.losses[done:])
        if trainer not in trainers:
            trainers.append(trainer)

    Trainer._make_steps = recording
    try:
        yield
    finally:
        Trainer._make_steps = make_steps


def replica_difference(trainer: Trainer) -> float:
    """By how much any variable, BatchNorm's statistics among them, differs between local replicas."""
    local = trainer.strategy.experimental_local_results
    return max(
        float(np.max(np.abs(local(variable.value)[0].numpy() - value.numpy())))
        for variable in trainer.model.variables
        for value in local(variable.value)
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(json.loads, sys.argv[2:]))
