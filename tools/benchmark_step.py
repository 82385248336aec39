#!/usr/bin/env python3
"""Time and memory of a detector's forward pass and training step: frames folded, or TimeDistributed.

    python tools/benchmark_step.py --backbone=efficientnet_b1 --num_frames=32 --frame_size=64 --batch_size=2

It times the product's own step on native frames, which the detector resizes; on JAX (KERAS_BACKEND=jax), on
which the product does not train, Keras' compiled step. Each variant runs in a process of its own, so that
neither profits from what the other compiled or allocated. --scaling prints how the figures of the folded one
grow with batch, frames and size, from the given ones on. The first TimeDistributed step of EfficientNetB1
with 32 frames takes many minutes on a CPU.

peak_gflops is what the device makes of a large matrix product in the same process and precision, and the
fractions are the share of it that the model's products reach. A training step counts as three forward passes.
"""

import argparse
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
    "peak_gflops",
    "forward_fraction",
    "train_fraction",
)

# What --scaling multiplies, one at a time, and by what.
SCALED = ("batch_size", "num_frames", "frame_size")
FACTORS = (2, 4)
# A training step's backward pass takes about two forward ones.
PASSES_OF_A_STEP = 3


def main(arguments: list[str] | None = None) -> None:
    """Measures one variant, or both and their ratio."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parse_arguments(arguments)
    if options.variant:
        result = measure(options)
        report = json.dumps(result)
    elif options.scaling:
        result = {name: _measure_in_child([*arguments, *name.split()], "folded") for name in scaled(options)}
        report = scaling_table(result)
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
        "--native_side", type=int, default=0, help="of the frames as they come, pixels; 0: frame_size"
    )
    parser.add_argument("--resized", action="store_true", help="frames come in frame_size, with no resize")
    parser.add_argument(
        "--steps", type=int, default=3, help="steps after the first, of which the median counts"
    )
    parser.add_argument("--precision", default="float32", help="float32, mixed_float16 or mixed_bfloat16")
    parser.add_argument("--variant", choices=VARIANTS, help="measure one, in this process; JSON on stdout")
    parser.add_argument("--scaling", action="store_true", help="tables for batch, frames and size")
    parser.add_argument("--output", type=Path, help="also write the result there: .md the table, else JSON")
    return parser.parse_args(arguments)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measures one variant in this process.

    Returns:
        The configuration and `MEASURES`: seconds, GiB of the process' peak resident memory, 10^9 operations
        a second, and shares of them.
    """
    import keras
    import numpy as np

    keras.config.set_dtype_policy(options.precision)
    compile_steps = {"tensorflow": product_steps}.get(keras.backend.backend(), keras_steps)
    detector, flops = build_variant(options)
    labels = np.random.default_rng(0).integers(0, 2, options.batch_size)
    forward, train = compile_steps(detector, random_input(options), labels)
    forward_times = _time(forward, options.steps)
    train_times = _time(train, options.steps)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = matrix_product_gflops()  # after the memory was read, of which it takes a lot
    work = flops * options.batch_size / 1e9 / peak
    fractions = work / forward_times[1], PASSES_OF_A_STEP * work / train_times[1]
    numbers = (*forward_times, *train_times, peak_kib / 2**20, peak, *fractions)
    return {
        **{key: value for key, value in vars(options).items() if key not in ("output", "scaling")},
        "backend": keras.backend.backend(),
        "keras": keras.__version__,
        **{key: float(f"{number:.4g}") for key, number in zip(MEASURES, numbers, strict=True)},
    }


def random_input(options: argparse.Namespace) -> Any:
    """A batch of noise as the detector takes it, in NumPy: native frames and their views, or resized ones."""
    import numpy as np

    side = (options.native_side or options.frame_size) if not options.resized else options.frame_size
    shape = (options.batch_size, options.num_frames, side, side, 3)
    frames = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    if options.resized:
        return frames
    view = np.float32([side, side, 0, 0, side, side, 1, 1, 0])
    return {"frames": frames, "view": np.tile(view, (options.batch_size, 1))}


def product_steps(detector: Any, inputs: Any, labels: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The forward pass and the training step of the product, ready to be called."""
    import keras
    import tensorflow as tf

    from deepfake_tfdata.scoring.clip_scores import make_predict
    from deepfake_tfdata.scoring.local_devices import local_strategy
    from deepfake_tfdata.training.options import StepOptions
    from deepfake_tfdata.training.step import make_train_steps

    strategy = local_strategy("single")
    predict = make_predict(detector, strategy)
    optimizer = keras.optimizers.AdamW(1e-4)
    optimizer.build(detector.trainable_variables)
    steps = make_train_steps(detector, optimizer, strategy, len(labels), StepOptions())
    batches = tf.data.Dataset.from_tensors((inputs, labels)).repeat()
    iterator = iter(strategy.experimental_distribute_dataset(batches))
    return lambda: predict(inputs), lambda: steps(iterator, 1)


def keras_steps(detector: Any, inputs: Any, labels: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The same by Keras' own compiled functions, on backends that the product does not train on."""
    import keras

    detector.compile(keras.optimizers.AdamW(1e-4), keras.losses.BinaryCrossentropy(from_logits=True))
    return lambda: detector.predict_on_batch(inputs), lambda: detector.train_on_batch(inputs, labels)


def build_variant(options: argparse.Namespace) -> tuple[Any, int]:
    """The detector under test and its operations a clip.

    The weights are random; variants differ in how the backbone sees the frames.
    """
    import keras

    from deepfake_tfdata.model.assembly import assemble_detector
    from deepfake_tfdata.model.backbones import build_backbone
    from deepfake_tfdata.model.flops import count_flops

    backbone = build_backbone(options.backbone, options.frame_size, "none")
    native = not options.resized
    detector = assemble_detector(backbone, options.head, options.num_frames, native=native)
    flops = count_flops(detector)
    if options.variant == "time_distributed":

        def per_frame(backbone: keras.Model, frames: keras.KerasTensor) -> keras.KerasTensor:
            return keras.layers.TimeDistributed(backbone)(frames)

        detector = assemble_detector(
            backbone, options.head, options.num_frames, native=native, per_frame=per_frame
        )
    return detector, flops


def matrix_product_gflops() -> float:
    """10^9 operations a second of a product of square matrices, the best of growing sizes."""
    import keras

    best, size = 0.0, 1024
    while size <= 16384:
        matrix = keras.ops.ones((size, size), keras.config.dtype_policy().compute_dtype)
        _, seconds = _time(lambda matrix=matrix: keras.ops.matmul(matrix, matrix)[0, 0], 3)
        best = max(best, 2 * size**3 / seconds / 1e9)
        if seconds > 0.1:
            break
        size *= 2
    return best


def scaled(options: argparse.Namespace) -> list[str]:
    """The flag that each configuration of --scaling adds: none, then one of SCALED that grows."""
    return ["", *(f"--{name}={factor * getattr(options, name)}" for name in SCALED for factor in FACTORS)]


def _time(call: Callable[[], Any], steps: int) -> tuple[float, float]:
    """Seconds of the first call, compilation included, and the median of `steps` more."""
    import keras

    seconds = []
    for _ in range(1 + steps):
        start = time.perf_counter()
        keras.ops.convert_to_numpy(keras.tree.flatten(call())[0])  # waits for the device
        seconds.append(time.perf_counter() - start)
    return seconds[0], statistics.median(seconds[1:]) if steps else float("nan")


def _measure_in_child(arguments: list[str], variant: str) -> dict[str, Any]:
    """What one variant's process printed; {"error": ...} if it died, as it does when memory runs out."""
    print(f"measuring {variant}: {' '.join(arguments)}", file=sys.stderr, flush=True)
    left_out = ("--output", "--scaling")
    arguments = [argument for argument in arguments if not argument.startswith(left_out)]
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


def scaling_table(results: dict[str, dict[str, Any]]) -> str:
    """Formats the configurations of --scaling, one a row."""
    rows = [
        "| batch | frames | size | forward s | train s | frames/s forward | frames/s train | GiB "
        "| share of peak forward | share of peak train |",
        "|" + "---:|" * 10,
    ]
    for name, result in results.items():
        if "error" in result:
            rows.append(f"| {name}: {result['error']} |" + " |" * 9)
            continue
        frames = result["batch_size"] * result["num_frames"]
        forward, train = result["forward_steady_s"], result["train_steady_s"]
        numbers = (forward, train, frames / forward, frames / train, result["peak_memory_gib"])
        fractions = (f"{result[f'{name}_fraction']:.0%}" for name in ("forward", "train"))
        cells = (*(result[name] for name in SCALED), *(f"{number:.3g}" for number in numbers), *fractions)
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path.insert(0, str(ROOT))
    main()
