"""A tf.data service: other machines decode, this one trains."""

import socket

import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.options import parse_address

_PATIENCE_SECONDS = 10


def distribute(batches: tf.data.Dataset, address: str) -> tf.data.Dataset:
    """Has a service make the batches; each is made once, by whichever worker asks first for its number.

    Args:
        batches: from a dataset of numbers.
        address: of the dispatcher, such as 'grpc://host:5050'.

    Raises:
        UserError: no such address, or nobody answers there.
    """
    host, port = parse_address(address)
    try:
        # TensorFlow would wait for it, for hours and without a word.
        socket.create_connection((host, port), _PATIENCE_SECONDS).close()
    except OSError as error:
        raise UserError(
            f"nobody answers at --data_service={address} ({error}); "
            "start 'python -m tools.data_service' there"
        ) from None
    mode = tf.data.experimental.service.ShardingPolicy.DYNAMIC
    return batches.apply(tf.data.experimental.service.distribute(processing_mode=mode, service=address))
