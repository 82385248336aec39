"""What tests of networks share: ImageNet's statistics, and moving statistics that suit random weights."""

import keras
import numpy as np

FRAME_SIZE = 64
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_STDDEV = np.array([0.229, 0.224, 0.225], np.float32)


def settle_batch_norm(model, inputs):
    """Sets moving statistics to those of `inputs`, so that random weights give features of ordinary size."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    model(inputs, training=True)
