"""Prints, as JSON, the losses of the first steps on a number of logical CPU devices. Run as a script.

Arguments: folder of records, number of devices, precision.
"""

import json
import sys

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata import build_detector, load_clips
from deepfake_tfdata.model.detector import set_batch_norm_synchronized
from deepfake_tfdata.training.devices import select_precision, select_strategy
from deepfake_tfdata.training.loop import make_train_step, validation_metrics
from deepfake_tfdata.training.scoring import make_predict

STEPS, BATCH_SIZE = 6, 4


def main(records: str, devices: int, precision: str) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    strategy = select_strategy("mirrored" if devices > 1 else "single")
    assert strategy.num_replicas_in_sync == devices
    select_precision(precision)
    keras.utils.set_random_seed(1)
    with strategy.scope():
        model = build_detector("meso4", "attention", 4, 48, "none", lstm_units=8)
        optimizer = keras.optimizers.AdamW(1e-3)
        if precision == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(model.trainable_variables)
    set_batch_norm_synchronized(model, devices > 1)
    step = make_train_step(model, optimizer, strategy, BATCH_SIZE)
    clips = load_clips(
        records, "mouth", "train", BATCH_SIZE, shuffle=True, num_epochs=None, drop_remainder=True
    )
    batches = iter(
        strategy.experimental_distribute_dataset(
            clips.map(lambda features, label: (features["frames"], label))
        )
    )
    losses = [float(step(next(batches))) for _ in range(STEPS)]
    # Three clips a batch leave one replica with a filled-up half, and the last batch is smaller still.
    validation = validation_metrics(make_predict(model, strategy), load_clips(records, "mouth", "val", 3))
    differences = [
        float(np.max(np.abs(values[0].numpy() - value.numpy())))
        for variable in model.variables
        for values in [strategy.experimental_local_results(variable.value)]
        for value in values[1:]
    ]
    print(json.dumps({"losses": losses, **validation, "replica_difference": max(differences, default=0.0)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
