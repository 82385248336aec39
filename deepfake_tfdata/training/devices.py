"""Which devices train, how they share the work, and in which precision."""

import signal

import keras
import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.scoring.local_devices import grow_memory, local_strategy
from deepfake_tfdata.training.cluster import read_cluster

# First compute capability with fast matrix products in bfloat16, which needs no loss scaling.
_BFLOAT16_CAPABILITY = (8, 0)


def select_strategy(name: str) -> tf.distribute.Strategy:
    """The distribution strategy of that name.

    Args:
        name: 'single' device; 'mirrored' over all GPUs, or all logical CPUs where there is no GPU;
            'multi_worker' over the machines that the environment variable TF_CONFIG lists, or as 'auto'
            where that is one; 'tpu' (experimental: nobody ran it yet) over the TPU of this VM; 'auto' is the
            first of multi_worker, mirrored and single that fits.

    Raises:
        UserError: TF_CONFIG is malformed, or needed and not there; or there is no TPU.
    """
    grow_memory()
    if name == "tpu":
        return _tpu()
    if name in ("auto", "multi_worker"):
        cluster = read_cluster(required=name == "multi_worker")
        # Vertex AI and Kubeflow set TF_CONFIG for a single machine, too.
        return _multi_worker() if cluster.count > 1 else local_strategy()
    return local_strategy(name)


def select_precision(name: str, strategy: tf.distribute.Strategy) -> str:
    """Sets Keras' precision policy and returns its name.

    Args:
        name: a policy, or 'auto': bfloat16 on TPUs and on GPUs that have it, float16 on older ones, float32
            on a CPU.
        strategy: what it runs on.
    """
    if name == "auto":
        name = "mixed_bfloat16" if isinstance(strategy, tf.distribute.TPUStrategy) else _best_precision()
    keras.config.set_dtype_policy(name)
    return name


def _multi_worker() -> tf.distribute.Strategy:
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    # TensorFlow's coordination takes SIGTERM for itself and does nothing with it; this gives it back.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
    return strategy


def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu="local")
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, tf.errors.OpError):
        raise UserError(
            "--strategy=tpu found no TPU; it needs a Cloud TPU VM with the package tensorflow-tpu"
        ) from None


def _best_precision() -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "float32"
    details = (tf.config.experimental.get_device_details(gpu) for gpu in gpus)
    oldest = min(detail.get("compute_capability", (0, 0)) for detail in details)
    return "mixed_bfloat16" if oldest >= _BFLOAT16_CAPABILITY else "mixed_float16"
