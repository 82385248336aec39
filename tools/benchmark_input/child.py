"""One loader, measured in this process, which the parent starts and watches.

Prints two lines of JSON: speed, then, with --check, what was decoded.
"""

import argparse
import importlib
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tools.benchmark_input.rows import ROWS, Row
from tools.benchmark_input.source import Source
from tools.benchmark_input.tree import processor_seconds

# Batches made before the first one is taken don't count: a loader works ahead by a few.
_WARM_UP = 0.25
# Workers don't all go on to the next epoch at once: a clip may come twice before another has come.
_EPOCHS = 3
# Compared with a step of a fifteenth of the frame: enough to tell clips apart.
_GRID = 15


def main() -> None:
    """Measures the row of --row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", required=True)
    parser.add_argument("--source", type=json.loads, required=True, help="the fields of a Source")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--check", type=Path, help="folder with a lossless .npy a clip")
    options = parser.parse_args()
    row = next(row for row in ROWS if row.name == options.row)
    source = Source(**{**options.source, "folder": Path(options.source["folder"])})
    print(json.dumps(measure(row, source, options.seconds)), flush=True)
    if options.check:
        print(json.dumps(compare(_batches(row, source), options.check)), flush=True)


def measure(row: Row, source: Source, seconds: float) -> dict[str, float]:
    """Clips a second and processor time a clip once the loader runs, and the seconds to its first batch.

    Importing the loader's framework is not part of it.
    """
    for module in row.modules:
        importlib.import_module(module)
    start = time.perf_counter()
    batches = _batches(row, source)
    next(batches)
    first = time.perf_counter() - start
    _take(batches, _WARM_UP * seconds)
    cpu = processor_seconds([os.getpid()])
    clips, elapsed = _take(batches, seconds)
    cpu_ms = 1000 * (processor_seconds([os.getpid()]) - cpu) / clips
    return {"clips_per_second": clips / elapsed, "cpu_ms": cpu_ms, "first_batch": first}


def compare(batches: Iterator[Any], references: Path) -> dict[str, Any]:
    """Finds each clip's lossless original, in whatever order they come, until all have come.

    Returns:
        `originals`, how many there are, and `psnr` in dB over all clips, None when every pixel is exact.

    Raises:
        SystemExit: some did not come.
    """
    originals = [np.load(file, mmap_mode="r") for file in sorted(references.iterdir())]
    found, squares, values = set(), 0.0, 0
    clips = (np.asarray(clip) for batch in batches for clip in batch)
    for clip in islice(clips, _EPOCHS * len(originals)):
        index = min(range(len(originals)), key=lambda index: _distance(clip, originals[index]))
        original = np.asarray(originals[index], np.float32)
        found.add(index)
        squares += float(np.square(_cut(clip, original) - original).sum(dtype=np.float64))
        values += original.size
        if len(found) == len(originals):
            psnr = 10 * math.log10(255**2 * values / squares) if squares else None
            return {"originals": len(originals), "psnr": psnr}
    sys.exit(f"error: only {len(found)} of {len(originals)} clips came in {_EPOCHS} epochs")


def _batches(row: Row, source: Source) -> Iterator[Any]:
    loader = importlib.import_module(f"tools.benchmark_input.peers.{row.loader}")
    return loader.batches(source)


def _take(batches: Iterator[Any], seconds: float) -> tuple[int, float]:
    """Takes batches for that long, at least one; how many clips, and how long it was."""
    start, count, elapsed = time.perf_counter(), 0, 0.0
    while elapsed < seconds:
        count += len(next(batches))
        elapsed = time.perf_counter() - start
    return count, elapsed


def _distance(clip: np.ndarray, original: np.ndarray) -> float:
    """Mean difference of a few pixels; infinite if the clip is smaller than the original."""
    if clip.ndim != original.ndim:
        raise ValueError(f"a clip of shape {list(clip.shape)}; expected [T, H, W, 3]")
    if any(have < need for have, need in zip(clip.shape, original.shape, strict=True)):
        return math.inf
    step = max(1, original.shape[2] // _GRID)
    cut = _cut(clip, original)[::3, ::step, ::step]
    return float(np.abs(cut - original[::3, ::step, ::step].astype(np.float32)).mean())


def _cut(clip: np.ndarray, original: np.ndarray) -> np.ndarray:
    """The clip without the padding on its right and bottom."""
    return clip[:, : original.shape[1], : original.shape[2]].astype(np.float32)


if __name__ == "__main__":
    main()
