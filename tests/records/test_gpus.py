"""The converter leaves GPUs to whoever trains beside it."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_convert_hides_gpus_before_tensorflow_does_anything(convert_flags, tmp_path):
    code = """
import sys

import pytest
import tensorflow as tf
from deepfake_tfdata import convert
from deepfake_tfdata.records import conversion

hidden = []
set_visible_devices = tf.config.set_visible_devices

def hide(devices, kind):
    set_visible_devices(devices, kind)  # raises once TensorFlow has begun
    hidden.append((devices, kind))

def run_conversion(*_):
    assert hidden == [([], "GPU")]
    print("begun")
    sys.exit()

tf.config.set_visible_devices, conversion.run_conversion = hide, run_conversion
convert.run(["convert", *sys.argv[1:]])
"""
    command = [sys.executable, "-c", code, *convert_flags, f"--output={tmp_path}"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("begun\n")
