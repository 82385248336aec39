"""Heads reduce time as they say, in float32 under every precision policy, over one region and several."""

import keras
import numpy as np
import pytest

from deepfake_tfdata.model.heads import ATTENTION_LAYER, HEADS

NUM_FRAMES, FEATURES = 5, 4


def head_model(head, num_regions=1, num_frames=NUM_FRAMES, features=FEATURES):
    sequences = [keras.Input((num_frames, features)) for _ in range(num_regions)]
    return keras.Model(sequences, HEADS[head](sequences))


def planted_attention(score_scale, num_regions=1):
    """An attention head whose score is its first feature, times a factor, and a view of its weights."""
    model = head_model("attention", num_regions)
    kernel = np.zeros((FEATURES, 1), np.float32)
    kernel[0] = score_scale
    model.get_layer("attention_score").set_weights([kernel, np.zeros(1, np.float32)])
    return model, keras.Model(model.inputs, model.get_layer(ATTENTION_LAYER).output)


def call(model, *sequences):
    outputs = model([keras.ops.convert_to_tensor(sequence) for sequence in sequences])
    return keras.ops.convert_to_numpy(outputs)


def numpy_softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


@pytest.fixture
def sequence(rng):
    return rng.normal(size=(3, NUM_FRAMES, FEATURES)).astype(np.float32)


@pytest.fixture
def another(rng):
    return rng.normal(size=(3, NUM_FRAMES, FEATURES)).astype(np.float32) + 1


def test_control_is_the_mean_over_time(sequence):
    np.testing.assert_allclose(call(head_model("control"), sequence), sequence.mean(axis=1), atol=1e-6)


def test_control_matched_is_the_mean_of_one_function_of_every_frame(sequence, rng):
    model = head_model("control_matched")
    kernel, bias = rng.normal(size=(FEATURES, 1)), rng.normal(size=1)
    model.get_layer("control_score").set_weights([kernel, bias])
    expected = (sequence + np.tanh(sequence @ kernel + bias)).mean(axis=1)
    np.testing.assert_allclose(call(model, sequence), expected, atol=1e-5)


@pytest.mark.parametrize("num_regions", [1, 3])
@pytest.mark.parametrize("lstm_units", [1, 4, 128])
def test_control_matched_has_attentions_parameter_count(lstm_units, num_regions):
    counts = {head: head_model(head, num_regions, features=2 * lstm_units).count_params() for head in HEADS}
    assert counts["control_matched"] == counts["attention"] == 2 * lstm_units + 1
    assert counts["control"] == counts["max"] == counts["last"] == 0


def test_max_is_the_largest_over_time(sequence):
    np.testing.assert_array_equal(call(head_model("max"), sequence), sequence.max(axis=1))


def test_last_is_the_final_state_of_both_directions(sequence):
    def bidirectional(return_sequences):
        return keras.layers.Bidirectional(keras.layers.LSTM(2, return_sequences=return_sequences))

    inputs = keras.Input((NUM_FRAMES, FEATURES))
    sequences, finals = (keras.Model([inputs], bidirectional(whole)(inputs)) for whole in (True, False))
    sequences.set_weights(finals.get_weights())
    np.testing.assert_allclose(
        call(head_model("last"), call(sequences, sequence)), call(finals, sequence), atol=1e-6
    )


def test_attention_is_the_softmax_weighted_sum(sequence):
    model, weights = planted_attention(score_scale=2.0)
    expected = numpy_softmax(2 * sequence[:, :, 0])
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


def test_transformer_has_the_stated_size():
    for steps, width in ((5, 8), (32, 256)):
        parameters = 8 * width**2 + 13 * width + steps * width
        assert head_model("transformer", 1, steps, width).count_params() == parameters


def test_transformer_sees_every_frame_and_its_position(sequence):
    model = head_model("transformer")
    before = call(model, sequence)
    for frame in range(NUM_FRAMES):
        changed = sequence.copy()
        changed[:, frame, 0] += 1
        assert abs(call(model, changed) - before).max() > 1e-3
    assert abs(call(model, sequence[:, ::-1]) - before).max() > 1e-4
    model.get_layer("transformer_positions").set_weights([np.zeros((NUM_FRAMES, FEATURES))])
    np.testing.assert_allclose(call(model, sequence[:, ::-1]), call(model, sequence), atol=1e-5)


def test_regions_are_more_steps_of_one_sequence(sequence, another):
    both = np.concatenate([sequence, another], axis=1)
    for head, expected in (("control", both.mean(axis=1)), ("max", both.max(axis=1))):
        np.testing.assert_allclose(call(head_model(head, 2), sequence, another), expected, atol=1e-6)
    _, weights = planted_attention(2.0, num_regions=2)
    np.testing.assert_allclose(call(weights, sequence, another), numpy_softmax(2 * both[:, :, 0]), atol=1e-6)


def test_last_averages_the_final_states_of_regions(sequence, another):
    one = head_model("last")
    expected = (call(one, sequence) + call(one, another)) / 2
    np.testing.assert_allclose(call(head_model("last", 2), sequence, another), expected, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("head", HEADS)
def test_heads_give_float32(policy, head, sequence):
    keras.config.set_dtype_policy(policy)
    assert call(head_model(head), sequence).dtype == np.float32


def test_softmax_survives_scores_beyond_float16(sequence):
    keras.config.set_dtype_policy("mixed_float16")
    _, weights = planted_attention(score_scale=1e6)
    np.testing.assert_allclose(call(weights, sequence).sum(axis=1), 1.0, atol=1e-6)
