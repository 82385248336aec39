"""Starts measuring processes and watches their memory."""

import json
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from tools.benchmark_input.rows import Row
from tools.benchmark_input.source import Source
from tools.benchmark_input.tree import megabytes

# Often enough to see a steady state, seldom enough not to disturb it.
_SAMPLING_SECONDS = 0.3


def run(row: Row, source: Source, seconds: float, check: Path | None) -> dict[str, Any]:
    """Measures a row once, in a process of its own or in one a core.

    Returns:
        What the child printed, rates added up and processor times averaged over the processes, and `memory`,
        the peak in MB over all of them and their children; {"failed": sentence} if one did not end well.
    """
    command = [
        sys.executable,
        "-m",
        "tools.benchmark_input.child",
        f"--row={row.name}",
        f"--seconds={seconds}",
    ]
    command += [f"--source={json.dumps({**asdict(source), 'folder': str(source.folder)})}"]
    command += [f"--check={check}"] if check else []
    with tempfile.TemporaryFile("w+") as errors:
        count = source.cores if row.a_core_each else 1
        children = [_start(command, errors) for _ in range(count)]
        watch = _MemoryWatch([child.pid for child in children])
        speeds = [child.stdout.readline() for child in children]
        memory = watch.stop()
        checks = [child.communicate()[0] for child in children]
        if any(child.returncode for child in children):
            errors.seek(0)
            return {"failed": (errors.read().strip().splitlines() or ["no message"])[-1]}
    measured = [json.loads(speed) for speed in speeds]
    return {
        "clips_per_second": sum(result["clips_per_second"] for result in measured),
        "first_batch": max(result["first_batch"] for result in measured),
        "cpu_ms": sum(result["cpu_ms"] for result in measured) / count,
        "memory": memory,
        **(json.loads(checks[0]) if check else {}),
    }


def _start(command: list[str], errors: IO[str]) -> subprocess.Popen:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)


class _MemoryWatch:
    """The peak memory of processes and all that they start."""

    def __init__(self, pids: list[int]) -> None:
        self._pids, self._peak, self._stopped = pids, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Ends watching; the peak in MB."""
        self._stopped.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        self._peak = megabytes(self._pids)  # at once: a short measurement may end within the first interval
        while not self._stopped.wait(_SAMPLING_SECONDS):
            self._peak = max(self._peak, megabytes(self._pids))
