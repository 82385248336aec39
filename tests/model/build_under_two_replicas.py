"""A detector computes the same on each of two logical devices as without a strategy. Run as a program."""

import numpy as np
import tensorflow as tf

from deepfake_tfdata.model.detector import build_detector, set_batch_norm_synchronized

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    detector = build_detector("efficientnet_b0", "attention", 2, 32, "none", lstm_units=4)
set_batch_norm_synchronized(detector, True)
frames = tf.constant(np.random.default_rng(0).integers(0, 256, (2, 2, 32, 32, 3), np.uint8))
run = tf.function(lambda: strategy.run(lambda: detector(frames, training=False)))
for logit in strategy.experimental_local_results(run()):
    np.testing.assert_allclose(logit, detector(frames), atol=1e-6)
