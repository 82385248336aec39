"""The devices of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from deepfake_tfdata.errors import UserError


def local_strategy(name: str = "auto") -> tf.distribute.Strategy:
    """How this machine's devices share the work.

    Args:
        name: 'single' device; 'mirrored' over all GPUs, or all logical CPUs where there is no GPU; 'auto'
            mirrors where there are several GPUs.
    """
    grow_memory()
    gpus = tf.config.list_physical_devices("GPU")
    kind = "GPU" if gpus else "CPU"
    if name == "single" or (name == "auto" and len(gpus) < 2):
        return tf.distribute.OneDeviceStrategy(f"/{kind}:0")
    return tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices(kind)])


def describe_devices(strategy: tf.distribute.Strategy) -> str:
    """How many devices a strategy has, and which: such as '2 x NVIDIA L4', or '1 x CPU'."""
    kind = tf.DeviceSpec.from_string(strategy.extended.worker_devices[0]).device_type
    physical = tf.config.list_physical_devices(kind)
    details = tf.config.experimental.get_device_details(physical[0]) if physical else {}
    return f"{strategy.num_replicas_in_sync} x {details.get('device_name', kind)}"


def grow_memory() -> None:
    """Makes GPUs' memory be taken as it is needed, so that several runs can share one."""
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


@contextmanager
def explained_lack_of_memory(batch_size: int, training: bool = True) -> Iterator[None]:
    """Turns TensorFlow's error into a UserError that names the flags to change."""
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        advice = f"lower --batch_size={batch_size}"
        if training:
            advice += ", raise --accumulation, set --rematerialize, or choose a smaller --backbone or half"
            advice += " --precision"
        raise UserError(f"the device's memory does not hold a step; {advice}") from None
