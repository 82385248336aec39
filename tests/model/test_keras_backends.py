"""TensorFlow and JAX compute the same forward pass and the same training step from the same weights."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.model import one_step

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
OTHER_BACKEND = {"tensorflow": "jax", "jax": "tensorflow"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Weights and input, and the results of the backend that this process doesn't run on."""
    backend = OTHER_BACKEND[keras.backend.backend()]
    pytest.importorskip(backend)
    folder = tmp_path_factory.mktemp("backends")
    keras.utils.set_random_seed(0)
    for name in one_step.CONFIGURATIONS:
        one_step.detector_of(name).save_weights(folder / f"{name}.weights.h5")
    shape = (4, one_step.NUM_FRAMES, one_step.FRAME_SIZE, one_step.FRAME_SIZE, 3)
    frames = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.savez(folder / "input.npz", frames=frames, labels=np.array([0, 1, 1, 0], np.float32))
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": str(ROOT),
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",  # compiling costs more than running here
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    program = [sys.executable, one_step.__file__, folder]
    subprocess.run(program, env=environment, cwd=ROOT, check=True, timeout=300)
    return folder


@pytest.mark.parametrize("name", one_step.CONFIGURATIONS)
def test_one_step_is_the_same_on_both_backends(name, folder):
    here, there = one_step.one_step(name, folder), np.load(folder / f"{name}.npz")
    assert {str(here["backend"]), str(there["backend"])} == {"tensorflow", "jax"}
    np.testing.assert_allclose(here["logits"], there["logits"], atol=1e-4)
    # The second loss is that of the updated weights.
    # A resized pixel that lies at a half may be rounded to either side, which a step makes more of.
    np.testing.assert_allclose(here["losses"], there["losses"], atol=5e-4)
    assert abs(here["losses"][1] - here["losses"][0]) > 1e-3
