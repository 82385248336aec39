"""A tf.data service: other machines decode, this one trains."""

import tensorflow as tf

from deepfake_tfdata.errors import UserError


def distribute(batches: tf.data.Dataset, address: str) -> tf.data.Dataset:
    """Has a service make the batches; each is made once, by whichever worker asks first for its number.

    Args:
        batches: from a dataset of numbers.
        address: of the dispatcher, such as 'grpc://host:5050'.

    Raises:
        UserError: no such address, or nobody answers there.
    """
    if not address.startswith("grpc://"):
        raise UserError(f"--data_service={address} is no address; use grpc://HOST:PORT of a dispatcher")
    mode = tf.data.experimental.service.ShardingPolicy.DYNAMIC
    return batches.apply(tf.data.experimental.service.distribute(processing_mode=mode, service=address))
