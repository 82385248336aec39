"""Many epochs take no more memory than a few, and no more batches wait than the README says."""

import json
import os
import subprocess
import sys
import time

import pytest
import tensorflow as tf

from deepfake_tfdata import load_clips
from deepfake_tfdata.input import clip_loader

SOAK = """
import gc, json, os, sys
from deepfake_tfdata import load_clips

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

options = dict(shuffle=True, augment="all", drop_remainder=True, num_epochs=None)
sizes = []
for number, batch in enumerate(load_clips(sys.argv[1], "mouth", "train", 4, **options)):
    if number in (60, 240, 420, 600):
        gc.collect()
        sizes.append(resident())
    if number == 600:
        break
print(json.dumps(sizes))
"""


@pytest.mark.slow
def test_two_hundred_epochs_grow_nothing(records):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "MALLOC_ARENA_MAX": "2"}
    result = subprocess.run(
        [sys.executable, "-c", SOAK, str(records)], capture_output=True, text=True, env=environment
    )
    assert result.returncode == 0, result.stderr

    warm, *later = json.loads(result.stdout)
    assert max(later) < warm + 40, (warm, later)  # MiB; a batch leaked every step would be 60


def test_no_more_batches_wait_than_there_are_cores_and_two(records, monkeypatch):
    made = []
    monkeypatch.setattr("deepfake_tfdata.input.padding.available_cores", lambda: 3)
    original = clip_loader.clip_seed

    def counted(seed, epoch, clip_id):
        tf.py_function(lambda: made.append(1), [], [])
        return original(seed, epoch, clip_id)

    monkeypatch.setattr(clip_loader, "clip_seed", counted)
    batches = iter(load_clips(records, "mouth", "train", 1, shuffle=True, num_epochs=None))
    next(batches)
    time.sleep(3)
    # The one taken, three in the making, two ahead; one more on its way from the one to the other.
    assert len(made) <= 1 + 3 + 2 + 1
