"""Measures rows in turn, round after round, so that what else the machine does hits all alike."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from tools.benchmark_step.rows import Row

ROOT = Path(__file__).resolve().parent.parent.parent
PHASES = ("forward", "train")
# Several processes share a device: none takes all its memory at once.
_ENVIRONMENT = {
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
# A row's figures, or {"skipped": why}.
Result = dict[str, Any]


class RowFailed(Exception):
    """A row's process ended, with what it said last."""


class RowProcess:
    """A process that holds one row's model and makes steps of it."""

    def __init__(self, row: Row, options: dict[str, Any], python: Path, errors: IO[str]) -> None:
        settings = json.dumps({**options, "row": row.name}, default=str)
        self._errors = errors
        self._process = subprocess.Popen(
            [python, "-m", row.module, settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, **_ENVIRONMENT},
        )

    def answer(self, order: str = "") -> Result:
        """What it says to an order, or once it is ready.

        Raises:
            RowFailed: it ended instead.
        """
        try:
            if order:
                print(order, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            pass  # what it said last is read below
        for line in self._process.stdout:
            if line.startswith("{"):  # libraries print other things
                return json.loads(line)
        status = self._process.wait()
        self._errors.seek(0)
        last = (self._errors.read().strip().splitlines() or ["no message"])[-1]
        raise RowFailed(f"exit status {status}: {last}")

    def end(self) -> None:
        """Ends it, whatever it does."""
        self._process.kill()
        self._process.communicate()


def measure_rows(rows: Iterable[Row], options: dict[str, Any], python: Path | None) -> dict[str, Result]:
    """Every row's figures by its name.

    Args:
        rows: to measure.
        options: of the command, by name.
        python: that has PyTorch; None for the usual one.

    Returns:
        Of each row `{phase}_first_s`, `{phase}_s` (the median over all rounds), and what `serve` says at the
        end; or {"skipped": why}. A row that fails leaves the others alone.
    """
    results: dict[str, Result] = {}
    with ExitStack() as stack:
        running: dict[str, RowProcess] = {}
        firsts: dict[str, Result] = {}
        for row in rows:
            print(f"first steps: {row.title}", file=sys.stderr, flush=True)
            try:
                process = RowProcess(
                    row, options, row.python(python), stack.enter_context(TemporaryFile("w+"))
                )
                stack.callback(process.end)
                process.answer()
                firsts[row.name] = {
                    f"{phase}_first_s": process.answer(f"{phase} 1")["seconds"][0] for phase in PHASES
                }
                running[row.name] = process
            except (LookupError, RowFailed) as error:
                results[row.name] = {"skipped": str(error)}
        seconds: dict[tuple[str, str], list[float]] = {}
        for number in range(options["rounds"]):
            print(f"round {number + 1}", file=sys.stderr, flush=True)
            for phase in PHASES:
                for name in list(running):
                    try:
                        answer = running[name].answer(f"{phase} {options['steps']}")
                        seconds.setdefault((name, phase), []).extend(answer["seconds"])
                    except RowFailed as error:
                        results[name] = {"skipped": str(error)}
                        del running[name]
        for name, process in running.items():
            try:
                medians = {f"{phase}_s": statistics.median(seconds[name, phase]) for phase in PHASES}
                results[name] = {**firsts[name], **medians, **process.answer("finish")}
            except RowFailed as error:
                results[name] = {"skipped": str(error)}
    return {row.name: results[row.name] for row in rows}
