#!/usr/bin/env python3
"""Time and memory of a detector's forward pass and training step: frames folded, or TimeDistributed.

    python tools/benchmark_step.py --backbone=efficientnet_b1 --num_frames=32 --frame_size=64 --batch_size=2

Runs each variant in a process of its own, so that neither profits from what the other compiled or allocated,
and prints a table. KERAS_BACKEND=jax measures JAX. The first TimeDistributed step of EfficientNetB1 with 32
frames takes many minutes on a CPU.
"""

import argparse
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VARIANTS = ("folded", "time_distributed")
MEASURES = (
    "forward_first_s",
    "forward_steady_s",
    "train_first_s",
    "train_steady_s",
    "peak_memory_gib",
)

# Takes frames [B, T, H, W, 3] and labels [B], changes the model's weights, and gives the loss before that.
TrainStep = Callable[[Any, Any], Any]


def main(arguments: list[str] | None = None) -> None:
    """Measures one variant, or both and their ratio."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parse_arguments(arguments)
    if options.variant:
        result = measure(options)
        report = json.dumps(result)
    else:
        result = {variant: _measure_in_child(arguments, variant) for variant in VARIANTS}
        report = markdown_table(result)
    print(report, flush=True)
    if options.output:
        text = report if options.output.suffix == ".md" else json.dumps(result, indent=2)
        options.output.write_text(text + "\n")
    if any("error" in measured for measured in result.values() if isinstance(measured, dict)):
        sys.exit(1)


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--backbone", default="efficientnet_b1")
    parser.add_argument("--head", default="attention")
    parser.add_argument("--num_frames", type=int, default=32)
    parser.add_argument("--frame_size", type=int, default=224, help="pixels")
    parser.add_argument("--batch_size", type=int, default=1, help="clips")
    parser.add_argument(
        "--steps", type=int, default=3, help="steps after the first, of which the median counts"
    )
    parser.add_argument("--precision", default="float32", help="float32, mixed_float16 or mixed_bfloat16")
    parser.add_argument("--variant", choices=VARIANTS, help="measure one, in this process; JSON on stdout")
    parser.add_argument("--output", type=Path, help="also write the result there: .md the table, else JSON")
    return parser.parse_args(arguments)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measures one variant in this process.

    Returns:
        The configuration and `MEASURES`: seconds, and GiB of the process' peak resident memory.
    """
    import keras
    import numpy as np

    keras.config.set_dtype_policy(options.precision)
    detector = build_variant(options)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (options.batch_size, *detector.inputs[0].shape[1:]), np.uint8)
    frames = keras.ops.convert_to_tensor(frames)
    labels = keras.ops.convert_to_tensor(rng.integers(0, 2, options.batch_size).astype("float32"))
    forward = compile_forward(detector)
    train = compile_train_step(detector, keras.optimizers.AdamW(1e-4))
    forward_times = _time(lambda: forward(frames), options.steps)
    train_times = _time(lambda: train(frames, labels), options.steps)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    numbers = (*forward_times, *train_times, peak_kib / 2**20)
    return {
        **{key: value for key, value in vars(options).items() if key != "output"},
        "backend": keras.backend.backend(),
        "keras": keras.__version__,
        **{key: round(number, 4) for key, number in zip(MEASURES, numbers, strict=True)},
    }


def build_variant(options: argparse.Namespace) -> Any:
    """The detector under test, with random weights; variants differ in how the backbone sees the frames."""
    import keras

    from deepfake_tfdata.model import assemble_detector, build_backbone

    backbone = build_backbone(options.backbone, options.frame_size, "none")
    per_frame = None
    if options.variant == "time_distributed":

        def per_frame(backbone: keras.Model, frames: keras.KerasTensor) -> keras.KerasTensor:
            return keras.layers.TimeDistributed(backbone)(frames)

    return assemble_detector(backbone, options.head, options.num_frames, per_frame=per_frame)


def compile_forward(model: Any) -> Callable[[Any], Any]:
    """Compiles inference; the function takes frames and gives logits."""
    import keras

    if keras.backend.backend() == "jax":
        jax = importlib.import_module("jax")
        state = [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]
        infer = jax.jit(lambda *state_and_frames: model.stateless_call(*state_and_frames)[0])
        return lambda frames: infer(*state, frames)
    tf = importlib.import_module("tensorflow")
    return tf.function(lambda frames: model(frames, training=False))


def compile_train_step(model: Any, optimizer: Any) -> TrainStep:
    """Compiles forward pass, binary cross-entropy from logits, gradients and the optimizer's update."""
    import keras

    optimizer.build(model.trainable_variables)
    backends = {"tensorflow": _tensorflow_step, "jax": _jax_step}
    return backends[keras.backend.backend()](model, optimizer)


def _loss(labels: Any, logits: Any) -> Any:
    import keras

    return keras.ops.mean(keras.ops.binary_crossentropy(labels, logits, from_logits=True))


def _tensorflow_step(model: Any, optimizer: Any) -> TrainStep:
    tf = importlib.import_module("tensorflow")

    @tf.function
    def step(frames: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = _loss(labels, model(frames, training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return step


def _jax_step(model: Any, optimizer: Any) -> TrainStep:
    jax = importlib.import_module("jax")
    variables = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)

    def loss_and_state(trainable: Any, non_trainable: Any, frames: Any, labels: Any) -> Any:
        logits, non_trainable = model.stateless_call(trainable, non_trainable, frames, training=True)
        return _loss(labels, logits), non_trainable

    @jax.jit
    def update(state: Any, frames: Any, labels: Any) -> Any:
        trainable, non_trainable, moments = state
        gradient = jax.value_and_grad(loss_and_state, has_aux=True)
        (loss, non_trainable), gradients = gradient(trainable, non_trainable, frames, labels)
        trainable, moments = optimizer.stateless_apply(moments, gradients, trainable)
        return loss, (trainable, non_trainable, moments)

    def step(frames: Any, labels: Any) -> Any:
        state = [[variable.value for variable in group] for group in variables]
        loss, state = update(state, frames, labels)
        for group, values in zip(variables, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return loss

    return step


def _time(call: Callable[[], Any], steps: int) -> tuple[float, float]:
    """Seconds of the first call, compilation included, and the median of `steps` more."""
    import keras

    seconds = []
    for _ in range(1 + steps):
        start = time.perf_counter()
        keras.ops.convert_to_numpy(call())  # waits for the device
        seconds.append(time.perf_counter() - start)
    return seconds[0], statistics.median(seconds[1:]) if steps else float("nan")


def _measure_in_child(arguments: list[str], variant: str) -> dict[str, Any]:
    """What one variant's process printed; {"error": ...} if it died, as it does when memory runs out."""
    print(f"measuring {variant} ...", file=sys.stderr, flush=True)
    arguments = [argument for argument in arguments if not argument.startswith("--output")]
    command = [sys.executable, str(Path(__file__).resolve()), *arguments, f"--variant={variant}"]
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if child.returncode:
        return {"error": f"exit status {child.returncode}"}
    return json.loads(child.stdout.splitlines()[-1])


def markdown_table(results: dict[str, dict[str, Any]]) -> str:
    """Formats both variants' results, one measure a row."""
    folded, distributed = (results[variant] for variant in VARIANTS)
    rows = ["| measure | folded | TimeDistributed | ratio |", "|---|---:|---:|---:|"]
    for measure_name in MEASURES:
        values = [result.get(measure_name) for result in (folded, distributed)]
        cells = [f"{value:.3g}" if value is not None else "failed" for value in values]
        ratio = f"{values[1] / values[0]:.1f}" if all(values) else ""
        rows.append(f"| {measure_name} | {cells[0]} | {cells[1]} | {ratio} |")
    return "\n".join(rows)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path.insert(0, str(ROOT))
    main()
