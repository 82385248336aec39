"""Heads reduce time as they say, in float32 under every precision policy."""

import keras
import numpy as np
import pytest

from deepfake_tfdata.model.heads import ATTENTION_LAYER, HEADS

NUM_FRAMES, FEATURES = 5, 4


def head_model(head):
    sequence = keras.Input((NUM_FRAMES, FEATURES))
    return keras.Model(sequence, HEADS[head](sequence))


def planted_attention(score_scale):
    """An attention head whose score is its first feature, times a factor, and a view of its weights."""
    model = head_model("attention")
    kernel = np.zeros((FEATURES, 1), np.float32)
    kernel[0] = score_scale
    model.get_layer("attention_score").set_weights([kernel, np.zeros(1, np.float32)])
    return model, keras.Model(model.input, model.get_layer(ATTENTION_LAYER).output)


def call(model, sequence):
    return keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(sequence)))


@pytest.fixture
def sequence(rng):
    return rng.normal(size=(3, NUM_FRAMES, FEATURES)).astype(np.float32)


def test_control_is_the_mean_over_time(sequence):
    np.testing.assert_allclose(call(head_model("control"), sequence), sequence.mean(axis=1), atol=1e-6)


def test_attention_is_the_softmax_weighted_sum(sequence):
    model, weights = planted_attention(score_scale=2.0)
    scores = np.exp(2 * sequence[:, :, 0])
    expected = scores / scores.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(call(weights, sequence), expected, atol=1e-6)
    np.testing.assert_allclose(
        call(model, sequence), (expected[:, :, None] * sequence).sum(axis=1), atol=1e-5
    )


def test_attention_finds_the_planted_frame(sequence):
    sequence[:, 3, 0] = 50.0
    model, weights = planted_attention(score_scale=1.0)
    np.testing.assert_allclose(call(weights, sequence)[:, 3], 1.0, atol=1e-6)
    np.testing.assert_allclose(call(model, sequence), sequence[:, 3], atol=1e-4)


def test_attention_follows_the_frames_when_they_are_permuted(sequence, rng):
    order = rng.permutation(NUM_FRAMES)
    model, weights = planted_attention(score_scale=1.0)
    np.testing.assert_allclose(
        call(weights, sequence[:, order]), call(weights, sequence)[:, order], atol=1e-6
    )
    np.testing.assert_allclose(call(model, sequence[:, order]), call(model, sequence), atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("head", HEADS)
def test_heads_give_float32(policy, head, sequence):
    keras.config.set_dtype_policy(policy)
    assert call(head_model(head), sequence).dtype == np.float32


def test_softmax_survives_scores_beyond_float16(sequence):
    keras.config.set_dtype_policy("mixed_float16")
    _, weights = planted_attention(score_scale=1e6)
    np.testing.assert_allclose(call(weights, sequence).sum(axis=1), 1.0, atol=1e-6)
