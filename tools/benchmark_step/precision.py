"""How exact matrix products are, on every backend of Keras."""

import keras


def set_precision(name: str) -> None:
    """Sets Keras' policy and what the backend does with float32.

    tf32 is a GPU's float32 with operands of 11 bits; a CPU has none and multiplies as ever.
    """
    keras.config.set_dtype_policy("float32" if name == "tf32" else name)
    reduced = name == "tf32"
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "tensorfloat32" if reduced else "highest")
    elif backend == "torch":
        import torch

        torch.set_float32_matmul_precision("high" if reduced else "highest")
        torch.backends.cudnn.allow_tf32 = reduced
    else:
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(reduced)
