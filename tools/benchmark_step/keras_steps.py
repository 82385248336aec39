"""The process of a row in Keras: the product's own steps on TensorFlow, Keras' on JAX and PyTorch."""

import argparse
import json
import sys
from typing import Any

import keras
import numpy as np

from deepfake_tfdata.model.assembly import assemble_detector
from deepfake_tfdata.model.backbones import build_backbone
from deepfake_tfdata.model.flops import count_flops
from deepfake_tfdata.pixels import view_numbers
from deepfake_tfdata.startup import import_tensorflow
from tools.benchmark_step.precision import set_precision
from tools.benchmark_step.roofline import count_bytes, device_name, matrix_product_gflops, memory_gbytes
from tools.benchmark_step.serve import Step, serve


def main() -> None:
    """Serves steps; the settings come as JSON."""
    options = argparse.Namespace(**json.loads(sys.argv[1]))
    if keras.backend.backend() == "tensorflow":
        import_tensorflow()  # as the commands do
    set_precision(options.precision)
    # First: where the model fills the memory, there is no place for these later.
    peaks = {"peak_gflops": matrix_product_gflops(), "peak_gbytes": memory_gbytes()}
    detector = build_row(options)
    compile_steps = product_steps if keras.backend.backend() == "tensorflow" else keras_steps
    labels = np.random.default_rng(0).integers(0, 2, options.batch_size)
    facts = {
        "backend": keras.backend.backend(),
        "device": device_name(),
        "parameters": detector.count_params(),
        "gflop": options.batch_size * count_flops(detector) / 1e9,
        "gbyte": options.batch_size * count_bytes(detector) / 1e9,
        **peaks,
    }
    serve(compile_steps(detector, random_input(options), labels, options.jit_compile), facts)


def build_row(options: argparse.Namespace) -> keras.Model:
    """The detector with random weights; rows differ in how the backbone sees the frames."""
    backbone = build_backbone(options.backbone, options.frame_size, "none")
    per_frame = _time_distributed if options.row == "time_distributed" else None
    native = not options.resized
    return assemble_detector(backbone, options.head, options.num_frames, native=native, per_frame=per_frame)


def _time_distributed(backbone: keras.Model, frames: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.TimeDistributed(backbone)(frames)


def random_input(options: argparse.Namespace) -> Any:
    """A batch of noise as the detector takes it, in NumPy: native frames and their views, or resized ones."""
    side = options.frame_size if options.resized else options.native_side or options.frame_size
    shape = (options.batch_size, options.num_frames, side, side, 3)
    frames = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    if options.resized:
        return frames
    view = np.array(view_numbers((0, 0, side, side), (0, 0, side, side)), np.float32)
    return {"frames": frames, "view": np.tile(view, (options.batch_size, 1))}


def product_steps(
    detector: keras.Model, inputs: Any, labels: np.ndarray, jit_compile: bool
) -> dict[str, Step]:
    """The forward pass and the training step of the product."""
    import tensorflow as tf

    from deepfake_tfdata.scoring.clip_scores import make_predict
    from deepfake_tfdata.scoring.local_devices import local_strategy
    from deepfake_tfdata.training.optimization import build_for, build_optimizer
    from deepfake_tfdata.training.options import OptimizerOptions, StepOptions
    from deepfake_tfdata.training.step import make_train_steps

    strategy = local_strategy("single")
    predict = make_predict(detector, strategy)
    float16 = keras.config.dtype_policy().compute_dtype == "float16"
    optimizer = build_optimizer(OptimizerOptions(), len(labels), 1, 1, loss_scaling=float16)
    build_for(optimizer, detector.trainable_variables)
    step = StepOptions(jit_compile=jit_compile)
    train = make_train_steps(detector, optimizer, strategy, len(labels), step)
    batches = tf.data.Dataset.from_tensors((inputs, labels)).repeat()
    iterator = iter(strategy.experimental_distribute_dataset(batches))
    # Both give arrays of NumPy, for which they have waited.
    return {"forward": lambda: predict(inputs)(), "train": lambda: train(iterator, 1)}


def keras_steps(detector: keras.Model, inputs: Any, labels: np.ndarray, jit_compile: bool) -> dict[str, Step]:
    """The same by Keras' own compiled functions, on backends that the product does not train on."""
    # Of JAX, "auto" is XLA; of PyTorch, it is eager.
    detector.compile(
        keras.optimizers.AdamW(1e-4),
        keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=jit_compile or "auto",
    )
    return {
        "forward": lambda: detector.predict_on_batch(inputs),
        "train": lambda: keras.ops.convert_to_numpy(detector.train_on_batch(inputs, labels)),
    }


if __name__ == "__main__":
    main()
