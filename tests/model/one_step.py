"""One training step from given weights and data, on the backend in KERAS_BACKEND; also a program.

one_step.py FOLDER: in it are NAME.weights.h5 for every configuration, and input.npz with frames and labels.
"""

import sys
from pathlib import Path

import keras
import numpy as np

from deepfake_tfdata.model.detector import build_detector

NUM_FRAMES, FRAME_SIZE = 3, 32
# Whole, a reduced part, mirrored, letterboxed and toned with a part hidden.
VIEWS = [
    [0, 0, 32, 32, 0, 0, 32, 32, 1, 0, 0, 0, 0, 1, 1, 0],
    [1, 2, 30, 22, 3.5, 2, 28, 19.25, 0.6, 0, 0, 0, 0, 1, 1, 0],
    [0, 0, 32, 32, 0, 32, 32, 0, 1, 0, 0, 0, 0, 0.8, 1.1, 9],
    [0, 0, 10, 32, -11, 0, 21, 32, 1, 2, 10, 6, 20, 1, 0.9, -5],
]
CONFIGURATIONS = {
    "one_region": {"head": "attention"},
    "native": {"head": "attention", "native": True},
    "two_regions": {"head": "transformer", "regions": ("mouth", "eyes"), "share_backbone": True},
}


def detector_of(name, weights="none"):
    arguments = CONFIGURATIONS[name]
    return build_detector(
        "meso4",
        num_frames=NUM_FRAMES,
        frame_size=FRAME_SIZE,
        weights=weights,
        lstm_units=8,
        dropout=0,
        **arguments,
    )


def one_step(name, folder):
    """Logits of the weights in the folder, and the losses of two steps."""
    data = np.load(folder / "input.npz")
    labels = keras.ops.convert_to_tensor(data["labels"])
    detector = detector_of(name, folder / f"{name}.weights.h5")
    regions = [tensor.name for tensor in detector.inputs if len(tensor.shape) == 5]
    frames = {
        region: keras.ops.convert_to_tensor(np.roll(data["frames"], shift, axis=0))
        for shift, region in enumerate(regions)
    }
    if CONFIGURATIONS[name].get("native"):
        frames["view"] = keras.ops.convert_to_tensor(np.float32(VIEWS))
    logits = keras.ops.convert_to_numpy(detector(frames))
    backend = keras.backend.backend()
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    # TensorFlow would compile with XLA for a minute; JAX can nothing else.
    detector.compile(keras.optimizers.SGD(0.01), loss, jit_compile=backend == "jax")
    losses = [detector.train_on_batch(frames, labels) for _ in range(2)]
    return {"logits": logits, "losses": np.array(losses), "backend": backend}


def main() -> None:
    folder = Path(sys.argv[1])
    for name in CONFIGURATIONS:
        np.savez(folder / f"{name}.npz", **one_step(name, folder))


if __name__ == "__main__":
    main()
