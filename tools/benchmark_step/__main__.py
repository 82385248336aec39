"""Time and memory of a detector's forward pass and training step, beside the same detector in PyTorch.

    python -m tools.benchmark_step --backbone=efficientnet_b1 --num_frames=32 --frame_size=64 --batch_size=2

Each row has a process of its own, with this Python or, for PyTorch, that of .venv-torch; first steps come one
after another, then all rows make steps in turn, round after round, and the median counts. On TensorFlow it
times the product's own step on native frames, which the detector resizes (PyTorch's rows have no resize:
--resized leaves out ours, too); with KERAS_BACKEND=jax or torch, Keras' step. A row that can't run says why.

    --scaling       how our figures grow with batch, frames and size, from the given ones on
    --fill          how they grow with the batch, doubled until the memory is full
    --resize_error  what TF32 and bfloat16 do to the resize, and nothing else

The share of the peak is the speed of the model's products over that of a large matrix product on the same
device in the same precision. What bounds a step: its products at that speed, or its bytes at the speed of a
large copy if every layer reads and writes memory once. Layers that are fused, or stay in a cache, move fewer.
A training step counts as three forward passes.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.benchmark_step.rounds import ROOT, Result, measure_rows
from tools.benchmark_step.rows import DEFAULT_ROWS, OURS, ROWS
from tools.benchmark_step.table import SCALED, resize_table, rows_table, scaling_table

# What --scaling multiplies each of SCALED by.
FACTORS = (2, 4)
_PRECISIONS = ("float32", "tf32", "mixed_float16", "mixed_bfloat16")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, writes."""
    options = parse_arguments(arguments)
    if options.resize_error:
        result = resize_errors()
        report = resize_table(result)
    elif options.scaling or options.fill:
        result = fill(options) if options.fill else scale(options)
        report = scaling_table(result)
    else:
        result = measure_rows([ROWS[name] for name in options.rows], vars(options), options.torch_python)
        report = rows_table(result)
    print(report, flush=True)
    if options.output:
        settings = {name: str(value) for name, value in vars(options).items()}
        text = json.dumps({"settings": settings, "rows": result}, indent=2)
        options.output.write_text((report if options.output.suffix == ".md" else text) + "\n")
    if "skipped" in result.get(OURS, {}):
        sys.exit(1)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
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
    parser.add_argument("--rounds", type=_positive, default=5)
    parser.add_argument("--steps", type=_positive, default=1, help="of each row and phase, a round")
    parser.add_argument("--precision", choices=_PRECISIONS, default="float32")
    parser.add_argument("--jit_compile", action="store_true", help="ours with XLA; on JAX it always is")
    parser.add_argument(
        "--rows",
        type=_rows,
        default=DEFAULT_ROWS,
        help=f"NAME,NAME of {', '.join(ROWS)}; default: the first 3",
    )
    parser.add_argument(
        "--torch_python", type=Path, help="a Python with torch and timm; default: .venv-torch's"
    )
    parser.add_argument("--scaling", action="store_true", help="a table for batch, frames and size")
    parser.add_argument("--fill", action="store_true", help="a table for growing batches")
    parser.add_argument("--largest_batch", type=_positive, default=4096, help="of --fill, clips")
    parser.add_argument("--resize_error", action="store_true", help="of the resize at fewer bits")
    parser.add_argument("--output", type=Path, help="also write the result there: .md the table, else JSON")
    return parser.parse_args(arguments)


def scale(options: argparse.Namespace) -> dict[str, Result]:
    """Our figures at the given sizes, then with one of SCALED grown."""
    grown = [{}, *({name: factor * getattr(options, name)} for name in SCALED for factor in FACTORS)]
    return {_name(sizes): _ours(options, sizes) for sizes in grown}


def fill(options: argparse.Namespace) -> dict[str, Result]:
    """Our figures with the batch doubled until a step fails, which is the last line."""
    results: dict[str, Result] = {}
    batch_size = options.batch_size
    while batch_size <= options.largest_batch:
        sizes = {"batch_size": batch_size}
        results[_name(sizes)] = _ours(options, sizes)
        if "skipped" in results[_name(sizes)]:
            break
        batch_size *= 2
    return results


def resize_errors() -> dict[str, Any]:
    """What resize_error.py says in a process of its own, which leaves the precision of this one alone."""
    command = [sys.executable, "-m", "tools.benchmark_step.resize_error"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout.splitlines()[-1])


def _ours(options: argparse.Namespace, sizes: dict[str, int]) -> Result:
    settings = {**vars(options), **sizes}
    return {**{name: settings[name] for name in SCALED}, **measure_rows([ROWS[OURS]], settings, None)[OURS]}


def _name(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} {size}" for name, size in sizes.items()) or "as given"


def _rows(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := [name for name in names if name not in ROWS]:
        raise argparse.ArgumentTypeError(f"no row {unknown[0]}; choose of {', '.join(ROWS)}")
    return names


def _positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return int(text)


if __name__ == "__main__":
    main()
