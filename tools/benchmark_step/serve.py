"""What a measured process does: steps when rounds.py tells it to. Standard library only."""

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

# Makes one step and waits until the device has done it.
Step = Callable[[], Any]


def serve(steps: dict[str, Step], facts: dict[str, Any]) -> None:
    """Obeys lines on standard input, a step's name and how often, or "finish", and answers each in JSON.

    Args:
        steps: by name.
        facts: what to say in the end, beside the peak of this process's memory.
    """
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        name, *count = line.split()
        if name == "finish":
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(json.dumps({"peak_memory_gib": peak, **facts}), flush=True)
            return
        print(json.dumps({"seconds": [seconds(steps[name]) for _ in range(int(*count))]}), flush=True)


def seconds(step: Step) -> float:
    """How long one takes."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start
