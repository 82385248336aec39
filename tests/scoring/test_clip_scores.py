"""Batches on their way to the devices and back."""

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.scoring.clip_scores import make_predict, predicted, score_clips

ONE_DEVICE = tf.distribute.OneDeviceStrategy("CPU:0")


def batches_of(*sizes):
    """Batches of clips whose frames are their numbers, and whose labels are these, too."""
    first = 0
    for size in sizes:
        numbers = np.arange(first, first + size)
        first += size
        yield {"frames": tf.constant(numbers, tf.float32)[:, None]}, tf.constant(numbers)


def test_a_batch_is_begun_before_the_one_before_is_waited_for():
    events = []

    def predict(frames):
        number = int(frames[0, 0])
        events.append(("begun", number))

        def wait():
            events.append(("waited for", number))
            return [np.array([number])]

        return wait

    outputs = [int(output[0][0]) for output, _, _ in predicted(predict, batches_of(1, 1, 1))]
    assert outputs == [0, 1, 2]
    assert events == [
        *[("begun", 0), ("begun", 1), ("waited for", 0)],
        *[("begun", 2), ("waited for", 1), ("waited for", 2)],
    ]


def test_a_smaller_batch_is_filled_up_and_cut_again():
    frames = keras.Input((1,))
    model = keras.Model(frames, keras.layers.Rescaling(10.0)(frames))
    shapes = []
    predict = make_predict(model, ONE_DEVICE)

    def noting(frames):
        shapes.append(frames.shape[0])
        return predict(frames)

    scores = score_clips(noting, batches_of(2, 3, 1))
    assert shapes == [2, 3, 1]
    assert scores.logits.tolist() == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    assert scores.labels.tolist() == [0, 1, 2, 3, 4, 5]
