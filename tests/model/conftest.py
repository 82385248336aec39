"""Small frames, precision policies that don't leak, and a file such as keras.applications publishes."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest

from tests.model.networks import FRAME_SIZE, IMAGENET_MEAN, IMAGENET_STDDEV, settle_batch_norm


@pytest.fixture(autouse=True)
def restored_policy():
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def images():
    return np.random.default_rng(1).integers(0, 256, (4, FRAME_SIZE, FRAME_SIZE, 3), np.uint8)


@pytest.fixture(scope="session")
def published_file(tmp_path_factory, images):
    """EfficientNetB0 weights as published: the Normalization's variance holds standard deviations."""
    model = keras.applications.EfficientNetB0(
        weights=None, include_top=False, input_shape=(FRAME_SIZE, FRAME_SIZE, 3), pooling="avg"
    )
    normalization = model.layers[2]
    normalization.adapt_mean.assign(IMAGENET_MEAN)
    # The weights belong to rightly scaled input; only then is the variance spoilt.
    normalization.adapt_variance.assign(IMAGENET_STDDEV**2)
    normalization.finalize_state()
    settle_batch_norm(model, images)
    normalization.adapt_variance.assign(IMAGENET_STDDEV)
    path = tmp_path_factory.mktemp("published") / "efficientnetb0_notop.h5"
    model.save(path)
    return path
