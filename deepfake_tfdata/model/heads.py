"""Temporal heads: from a vector a frame, of one region or of several, to one vector a clip."""

from collections.abc import Callable, Sequence

import keras
from keras import ops

# A head that weighs frames gives this name to the layer that computes the weights [B, S], to be read there.
ATTENTION_LAYER = "attention_weights"
_TRANSFORMER_HEADS = 4

# From the regions' sequences, each [B, T, D], to a clip's vector [B, D], always float32. Most heads
# treat them as one sequence of S = R * T steps, a region's frames after another's.
Head = Callable[[Sequence[keras.KerasTensor]], keras.KerasTensor]


def control(sequences: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """The mean over all steps. Arguments and result as in `Head`."""
    return _mean(_joined(sequences))


def control_matched(sequences: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """The mean over all steps h of h + tanh(w h + b): control with attention's D + 1 parameters.

    The dense layer is attention's own. Attention makes weights of its scores; here a step's score is added to
    each of the step's elements, so that every step goes through the same function and counts 1/S. What
    attention gains over this head, it doesn't gain by more parameters. Arguments and result as in `Head`.
    """
    sequence = _joined(sequences)
    score = keras.layers.Dense(1, "tanh", dtype="float32", name="control_score")(sequence)
    return _mean(keras.layers.Add(dtype="float32", name="control_sum")([sequence, score]))


def maximum(sequences: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """The largest value over all steps, element by element. Arguments and result as in `Head`."""
    return keras.layers.GlobalMaxPooling1D(dtype="float32", name="temporal_max")(_joined(sequences))


def last(sequences: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """The final states of both directions of the LSTM, averaged over regions.

    Each direction has then seen every frame: the forward one, the first half of D, ends at the last frame,
    the backward one at the first. Arguments and result as in `Head`.
    """
    finals = []
    for sequence in sequences:
        units = sequence.shape[-1] // 2
        finals.append(ops.concatenate([sequence[:, -1:, :units], sequence[:, :1, units:]], axis=-1))
    return _mean(_joined(finals))


def attention(sequences: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """A sum over all steps, each weighted by the softmax of its dense score: D + 1 parameters.

    Arguments and result as in `Head`.
    """
    sequence = _joined(sequences)
    score = keras.layers.Dense(1, dtype="float32", name="attention_score")(sequence)
    score = keras.layers.Reshape((sequence.shape[1],), dtype="float32")(score)
    weights = keras.layers.Softmax(dtype="float32", name=ATTENTION_LAYER)(score)
    return keras.layers.Dot(axes=1, dtype="float32", name="attention_sum")([weights, sequence])


def transformer(sequences: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """The mean over all steps of one encoder block on them, with learned positions.

    The block is pre-norm (Xiong et al. 2020, arXiv 2002.04745), with 4 heads of D/4 and a hidden layer of 2D:
    8 D^2 + 13 D + S D parameters, where D is a multiple of 4. It mixes steps and doesn't weigh them.
    Arguments and result as in `Head`.
    """
    sequence = _joined(sequences)
    _, steps, width = sequence.shape
    # 0 to S - 1, made from the sequence: a constant would leave the layer and its weights out of the graph.
    positions = ops.cumsum(ops.ones_like(sequence[:, :, 0], dtype="int32"), axis=1) - 1
    positions = keras.layers.Embedding(steps, width, dtype="float32", name="transformer_positions")(positions)
    x = _add([sequence, positions])
    normalized = _layer_norm("transformer_attention_norm")(x)
    mix = keras.layers.MultiHeadAttention(
        _TRANSFORMER_HEADS, max(1, width // _TRANSFORMER_HEADS), dtype="float32", name="transformer_attention"
    )
    x = _add([x, mix(normalized, normalized)])
    hidden = _layer_norm("transformer_hidden_norm")(x)
    hidden = keras.layers.Dense(2 * width, "gelu", dtype="float32", name="transformer_hidden")(hidden)
    x = _add([x, keras.layers.Dense(width, dtype="float32", name="transformer_output")(hidden)])
    return _mean(_layer_norm("transformer_norm")(x))


# By the names that `--head` takes.
HEADS: dict[str, Head] = {
    "attention": attention,
    "control": control,
    "control_matched": control_matched,
    "max": maximum,
    "last": last,
    "transformer": transformer,
}


def _joined(sequences: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """[B, R * T, D] of R times [B, T, D]."""
    return sequences[0] if len(sequences) == 1 else ops.concatenate(sequences, axis=1)


def _mean(sequence: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.GlobalAveragePooling1D(dtype="float32", name="temporal_mean")(sequence)


def _add(tensors: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    return keras.layers.Add(dtype="float32")(tensors)


def _layer_norm(name: str) -> keras.layers.Layer:
    return keras.layers.LayerNormalization(epsilon=1e-6, dtype="float32", name=name)
