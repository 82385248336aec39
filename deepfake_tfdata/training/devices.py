"""Which devices train, how they share the work, and in which precision."""

import keras
import tensorflow as tf

from deepfake_tfdata.errors import UserError

STRATEGIES = ("auto", "single", "mirrored")
PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")
# First compute capability with fast matrix products in bfloat16, which needs no loss scaling.
_BFLOAT16_CAPABILITY = (8, 0)


def select_strategy(name: str) -> tf.distribute.Strategy:
    """The distribution strategy of that name.

    Args:
        name: 'single' device; 'mirrored' over all GPUs, or all logical CPUs where there is no GPU; 'auto'
            mirrors when there are several GPUs.

    Raises:
        UserError: an unknown name.
    """
    if name not in STRATEGIES:
        raise UserError(f"--strategy={name} is unknown; choose from {', '.join(STRATEGIES)}")
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # Take memory as it is needed, so that several runs can share a GPU.
        tf.config.experimental.set_memory_growth(gpu, True)
    if name == "auto":
        name = "mirrored" if len(gpus) > 1 else "single"
    kind = "GPU" if gpus else "CPU"
    if name == "single":
        return tf.distribute.OneDeviceStrategy(f"/{kind}:0")
    return tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices(kind)])


def select_precision(name: str) -> str:
    """Sets Keras' precision policy and returns its name.

    Args:
        name: a policy, or 'auto': bfloat16 on GPUs that have it, float16 on older ones, float32 on a CPU.

    Raises:
        UserError: an unknown name.
    """
    if name not in PRECISIONS:
        raise UserError(f"--precision={name} is unknown; choose from {', '.join(PRECISIONS)}")
    if name == "auto":
        name = _best_precision()
    keras.config.set_dtype_policy(name)
    return name


def _best_precision() -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "float32"
    details = (tf.config.experimental.get_device_details(gpu) for gpu in gpus)
    oldest = min(detail.get("compute_capability", (0, 0)) for detail in details)
    return "mixed_bfloat16" if oldest >= _BFLOAT16_CAPABILITY else "mixed_float16"
