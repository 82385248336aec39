"""TensorFlow and JAX compute the same forward pass and the same training step from the same weights."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from deepfake_tfdata.model import build_detector

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = ("tensorflow", "jax")


def test_one_step_is_the_same_on_tensorflow_and_jax(tmp_path, rng):
    pytest.importorskip("jax")
    keras.utils.set_random_seed(0)
    build_detector("meso4", "attention", 3, 32, "none", lstm_units=8).save_weights(tmp_path / "w.weights.h5")
    frames = rng.integers(0, 256, (4, 3, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "input.npz", frames=frames, labels=np.array([0, 1, 1, 0], np.float32))
    programs = [start_one_step(tmp_path, backend) for backend in BACKENDS]
    assert [program.wait(timeout=300) for program in programs] == [0, 0]

    on_tensorflow, on_jax = (np.load(tmp_path / f"{backend}.npz") for backend in BACKENDS)
    assert (on_tensorflow["backend"], on_jax["backend"]) == BACKENDS
    np.testing.assert_allclose(on_tensorflow["logits"], on_jax["logits"], atol=1e-4)
    # The second loss is that of the updated weights.
    np.testing.assert_allclose(on_tensorflow["losses"], on_jax["losses"], atol=1e-4)
    assert on_jax["losses"][1] < on_jax["losses"][0] - 1e-3


def start_one_step(folder, backend):
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": str(ROOT),
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",  # compiling costs more than running here
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    program = Path(__file__).with_name("one_step.py")
    paths = (folder / "w.weights.h5", folder / "input.npz", folder / f"{backend}.npz")
    return subprocess.Popen([sys.executable, program, *paths], env=environment, cwd=ROOT)
