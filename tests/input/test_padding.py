"""Which shape a batch is padded to, and how many are made at once."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from deepfake_tfdata.input.padding import FrameShapes, batches_at_once, padded_sides

GIB = 1 << 30


def shards_of(*regions, is_native=True):
    """Clips of 4 frames with these heights and widths, region by region."""
    clips = [[SimpleNamespace(height=height, width=width) for height, width in sizes] for sizes in regions]
    names = [f"region{place}" for place in range(len(clips))]
    return SimpleNamespace(
        regions=names, clips=clips, is_native=is_native, spec=SimpleNamespace(num_frames=4)
    )


def shapes_of(shapes, rows):
    return [shape.numpy().tolist() for shape in shapes.of(tf.constant(rows, tf.int64))]


def test_a_native_batch_has_the_padded_shape_of_its_largest_sides():
    shapes = FrameShapes(shards_of([(10, 20), (30, 17)], [(40, 41), (5, 6)]), "many")
    assert shapes_of(shapes, [0]) == [[4, 16, 20, 3], [4, 40, 48, 3]]
    assert shapes_of(shapes, [0, 1]) == [[4, 32, 20, 3], [4, 40, 48, 3]]
    assert [shape.as_list() for shape in shapes.known] == [[4, None, None, 3]] * 2
    assert shapes.largest_clip == 4 * 3 * (32 * 20 + 40 * 48)


def test_there_are_four_sizes_an_octave():
    sides = [1, 16, 17, 20, 21, 24, 25, 28, 29, 32, 33, 4320, 8192]
    expected = [16, 16, 20, 20, 24, 24, 28, 28, 32, 32, 40, 5120, 8192]
    assert padded_sides(tf.constant(sides, tf.int64)).numpy().tolist() == expected
    shapes = FrameShapes(shards_of([(17, 35), (200, 300)]), "many")
    assert shapes_of(shapes, [0]) == [[4, 20, 40, 3]]


def test_one_shape_is_that_of_the_splits_largest_sides():
    shapes = FrameShapes(shards_of([(10, 20), (30, 17)]), "one")
    assert shapes_of(shapes, [0]) == shapes_of(shapes, [1]) == [[4, 32, 20, 3]]
    assert shapes.known[0].as_list() == [4, 32, 20, 3]


def test_with_few_shapes_a_large_clip_sets_no_other_batchs():
    shapes = FrameShapes(shards_of([(33, 40), (70, 65), (500, 300)]), "few")
    assert shapes_of(shapes, [0]) == [[4, 64, 64, 3]]
    assert shapes_of(shapes, [0, 1]) == [[4, 128, 128, 3]]
    assert shapes_of(shapes, [2, 1]) == [[4, 512, 320, 3]]  # no larger than need be
    assert shapes.known[0].as_list() == [4, None, None, 3]


def test_resized_frames_keep_their_size():
    shapes = FrameShapes(shards_of([(50, 50), (50, 50)], is_native=False), "many")
    assert shapes_of(shapes, [1]) == [[4, 50, 50, 3]]
    assert shapes.known[0].as_list() == [4, 50, 50, 3]


@pytest.mark.parametrize(
    ("cores", "batch_bytes", "expected"),
    [
        (8, 1, (8, 1)),
        (8, GIB // 2, (8, 1)),
        (8, GIB, (4, 2)),
        (8, GIB + 1, (3, 3)),
        (8, 100 * GIB, (2, 4)),  # two at least, or none would be made while one is taken
        (5, 2 * GIB, (2, 3)),
        (1, 1, (2, 1)),
        (4, 0, (4, 1)),
    ],
)
def test_batches_share_cores_and_memory(monkeypatch, cores, batch_bytes, expected):
    monkeypatch.setattr("deepfake_tfdata.input.padding.available_cores", lambda: cores)
    assert batches_at_once(batch_bytes) == expected
