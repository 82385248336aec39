"""Temporal heads: from one vector a frame to one vector a clip."""

from collections.abc import Callable

import keras

# A head that weighs frames gives this name to the layer that computes the weights [B, T], to be read there.
ATTENTION_LAYER = "attention_weights"

# From a sequence [B, T, D] to a clip's vector [B, D], float32 whatever the precision policy.
Head = Callable[[keras.KerasTensor], keras.KerasTensor]


def control(sequence: keras.KerasTensor) -> keras.KerasTensor:
    """The mean over time.

    Args:
        sequence: [B, T, D].

    Returns:
        float32 [B, D].
    """
    return keras.layers.GlobalAveragePooling1D(dtype="float32", name="temporal_mean")(sequence)


def attention(sequence: keras.KerasTensor) -> keras.KerasTensor:
    """A weighted sum over time, each frame's weight the softmax of its dense score.

    Args:
        sequence: [B, T, D].

    Returns:
        float32 [B, D].
    """
    score = keras.layers.Dense(1, dtype="float32", name="attention_score")(sequence)
    score = keras.layers.Reshape((sequence.shape[1],), dtype="float32")(score)
    weights = keras.layers.Softmax(dtype="float32", name=ATTENTION_LAYER)(score)
    return keras.layers.Dot(axes=1, dtype="float32", name="attention_sum")([weights, sequence])


HEADS: dict[str, Head] = {"control": control, "attention": attention}
