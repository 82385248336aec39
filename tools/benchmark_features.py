#!/usr/bin/env python3
"""How much faster an epoch is from kept features than through the backbone.

    python -m tools.benchmark_features --data=data/records --region=mouth

Trains the same frozen detector twice with the train command, through the backbone and with --cache_features,
and prints the clips a second of each (training steps, without validation) and their ratio. The first epoch,
which compiles, does not count; the whole run's seconds hold it, the evaluation, and the features' computing.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Epochs, and what is added. Those from features are short: more of them give a steadier figure.
WAYS = {"through the backbone": (2, ()), "from kept features": (12, ("--cache_features",))}


def main(arguments: list[str] | None = None) -> None:
    """Measures both ways and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="folder of records; the features are kept in it")
    parser.add_argument("--region", default="mouth")
    parser.add_argument("--backbone", default="efficientnet_b1")
    parser.add_argument("--batch_size", default="4", help="clips a step")
    parser.add_argument("--steps_per_call", default="1")
    options = parser.parse_args(arguments)
    flags = [f"--{name}={value}" for name, value in vars(options).items()]
    with tempfile.TemporaryDirectory() as folder:
        results = {
            way: measure(Path(folder) / way, epochs, [*flags, *more]) for way, (epochs, more) in WAYS.items()
        }
    print(markdown_table(results))


def measure(workdir: Path, epochs: int, flags: list[str]) -> tuple[float, float]:
    """Trains a frozen detector.

    Returns:
        Clips a second of the median epoch but the first, and seconds of the whole process.
    """
    frozen = [f"--epochs={epochs}", f"--patience={epochs}", f"--freeze_epochs={epochs}", "--augment=none"]
    command = [sys.executable, "-m", "deepfake_tfdata.train", f"--workdir={workdir}", "--weights=none"]
    start = time.perf_counter()
    subprocess.run([*command, *frozen, *flags], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    lines = map(json.loads, (workdir / "metrics.jsonl").read_text().splitlines())
    _, *rates = (line["clips_per_second"] for line in lines)
    return statistics.median(rates), seconds


def markdown_table(results: dict[str, tuple[float, float]]) -> str:
    """Formats what `measure` gave for the two of WAYS."""
    (slow, _), (fast, _) = (results[way] for way in WAYS)
    rows = ["| an epoch | clips/s | whole run s |", "|---|---:|---:|"]
    rows += [f"| {way} | {rate:.3g} | {seconds:.0f} |" for way, (rate, seconds) in results.items()]
    return "\n".join([*rows, f"| ratio | {fast / slow:.0f} | |"])


if __name__ == "__main__":
    main()
