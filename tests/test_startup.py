"""What commands do before they import TensorFlow."""

import logging
import os
import platform
import subprocess
import sys
from io import StringIO

import pytest

from deepfake_tfdata.startup import import_tensorflow

# Page faults of taking and giving back a large block, the first time and once more.
FAULTS = """
import resource, sys, types
from deepfake_tfdata.startup import import_tensorflow
sys.modules["tensorflow"] = types.ModuleType("tensorflow")  # the real one takes seconds
import_tensorflow()
counts = [resource.getrusage(resource.RUSAGE_SELF).ru_minflt]
for _ in range(2):
    bytearray(96 << 20)
    counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(counts[1] - counts[0], counts[2] - counts[1])
"""


def faults(**environment):
    without = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", FAULTS]
    result = subprocess.run(
        command, env=without | environment, capture_output=True, text=True, check=True, timeout=60
    )
    return map(int, result.stdout.split())


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_freed_memory_is_kept_for_the_next_allocation():
    first, second = faults()
    assert second < first / 10
    _, second = faults(MALLOC_ARENA_MAX="2")  # somebody else decided
    assert second > first / 10


def test_several_graphs_in_one_process_are_no_warning():
    tensorflow = import_tensorflow()
    double = tensorflow.function(lambda value: value * 2)
    logger, logged = logging.getLogger("tensorflow"), StringIO()
    handler = logging.StreamHandler(logged)
    logger.addHandler(handler)
    try:
        for value in range(20):  # every number is traced anew
            double(value)
        logger.warning("another warning")
    finally:
        logger.removeHandler(handler)
    assert logged.getvalue() == "another warning\n"
