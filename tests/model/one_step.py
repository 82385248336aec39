"""Run as a program, on the backend in KERAS_BACKEND: one training step from given weights and data.

one_step.py WEIGHTS INPUT.npz OUTPUT.npz: takes frames and labels, gives logits and two losses.
"""

import sys

import keras
import numpy as np

from deepfake_tfdata.model import build_detector
from tools.benchmark_step import compile_forward, compile_train_step


def main() -> None:
    weights, input_path, output_path = sys.argv[1:]
    data = np.load(input_path)
    frames, labels = keras.ops.convert_to_tensor(data["frames"]), keras.ops.convert_to_tensor(data["labels"])
    _, num_frames, frame_size = frames.shape[:3]
    detector = build_detector("meso4", "attention", num_frames, frame_size, weights, lstm_units=8)
    logits = keras.ops.convert_to_numpy(compile_forward(detector)(frames))
    step = compile_train_step(detector, keras.optimizers.SGD(0.01))
    losses = [keras.ops.convert_to_numpy(step(frames, labels)) for _ in range(2)]
    np.savez(output_path, logits=logits, losses=losses, backend=keras.backend.backend())


if __name__ == "__main__":
    main()
