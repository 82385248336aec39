"""Measures rows in turn, round after round, so that what else the machine does hits all alike."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import product
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from tools.benchmark_step.rows import Row
from tools.torch_python import MissingPython

ROOT = Path(__file__).resolve().parent.parent.parent
PHASES = ("forward", "train")
# Several processes share a device: none takes all its memory at once.
_ENVIRONMENT = {
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # What it says last is the error itself.
    "JAX_TRACEBACK_FILTERING": "off",
}
# A row's figures, or {"skipped": why}.
Result = dict[str, Any]


class RowFailed(Exception):
    """A row's process ended, with what it said last."""


class RowProcess:
    """A process that holds one row's model and makes steps of it."""

    def __init__(self, row: Row, options: dict[str, Any], python: Path | None, errors: IO[str]) -> None:
        self._first: dict[str, float] = {}
        self._seconds: dict[str, list[float]] = {phase: [] for phase in PHASES}
        self._errors = errors
        settings = json.dumps({**options, "row": row.name}, default=str)
        self._process = subprocess.Popen(
            [row.python(python), "-m", row.module, settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, **_ENVIRONMENT},
        )

    def start(self) -> None:
        """Waits until the model is built, and makes the first steps."""
        self._answer()
        for phase in PHASES:
            (self._first[phase],) = self._ask(f"{phase} 1")["seconds"]

    def measure(self, phase: str, steps: int) -> None:
        """Makes some more."""
        self._seconds[phase] += self._ask(f"{phase} {steps}")["seconds"]

    def result(self) -> Result:
        """Ends well: `{phase}_first_s`, `{phase}_s` (the median), and what the process says of itself."""
        firsts = {f"{phase}_first_s": taken for phase, taken in self._first.items()}
        medians = {f"{phase}_s": statistics.median(taken) for phase, taken in self._seconds.items()}
        return {**firsts, **medians, **self._ask("finish")}

    def end(self) -> None:
        """Ends it, whatever it does."""
        self._process.kill()
        self._process.communicate()

    def _ask(self, order: str) -> Result:
        # Of one that has died, _answer reads what it said last.
        with suppress(BrokenPipeError):
            print(order, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Result:
        for line in self._process.stdout or ():
            if line.startswith("{"):  # libraries print other things
                return json.loads(line)
        status = self._process.wait()
        self._errors.seek(0)
        last = (self._errors.read().strip().splitlines() or ["no message"])[-1]
        raise RowFailed(f"exit status {status}: {last}")


def measure_rows(rows: Sequence[Row], options: dict[str, Any], python: Path | None) -> dict[str, Result]:
    """Every row's figures by its name.

    Args:
        rows: to measure.
        options: of the command, by name.
        python: that has PyTorch; None for the usual one.

    Returns:
        What `RowProcess.result` says of each, or {"skipped": why}. One that fails leaves the others alone.
    """
    results: dict[str, Result] = {}
    with ExitStack() as stack:
        running: dict[str, RowProcess] = {}
        for row in rows:
            print(f"first steps: {row.title}", file=sys.stderr, flush=True)
            with _noted(results, row.name):
                process = RowProcess(row, options, python, stack.enter_context(TemporaryFile("w+")))
                stack.callback(process.end)
                process.start()
                running[row.name] = process
        for number, phase in product(range(options["rounds"]), PHASES):
            print(f"round {number + 1}: {phase}", file=sys.stderr, flush=True)
            for name in [name for name in running if name not in results]:
                with _noted(results, name):
                    running[name].measure(phase, options["steps"])
        for name in [name for name in running if name not in results]:
            with _noted(results, name):
                results[name] = running[name].result()
    return {row.name: results[row.name] for row in rows}


@contextmanager
def _noted(results: dict[str, Result], name: str) -> Iterator[None]:
    """Makes a row's failure its result."""
    try:
        yield
    except (MissingPython, RowFailed) as error:
        results[name] = {"skipped": str(error)}
