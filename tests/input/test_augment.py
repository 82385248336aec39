"""How clips go through augmentations: which, how often, with which random numbers."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.augment import (
    OPERATIONS,
    augment_clip,
    augment_native_clip,
    clip_seed,
)
from deepfake_tfdata.input.options import AUGMENTATIONS, parse_augmentations
from deepfake_tfdata.input.views import whole_view
from deepfake_tfdata.model.resize import ResizeView

# Applied to every clip, more or less strongly.
ALWAYS = ("colour", "zoom")
NAMES = AUGMENTATIONS
CLIP = tf.constant(np.random.default_rng(0).integers(0, 256, (6, 21, 18, 3), np.uint8))


def seeds(count):
    return tf.stack([tf.range(count), tf.fill([count], 7)], axis=1)


def augmented(names, count=12, clip=CLIP, parallel=2, threads=2):
    """The clip with each of many seeds, made inside Dataset.map."""
    options = tf.data.Options()
    options.threading.private_threadpool_size = threads
    dataset = tf.data.Dataset.from_tensor_slices(seeds(count)).map(
        lambda seed: augment_clip(clip, seed, names), num_parallel_calls=parallel
    )
    assert dataset.element_spec == tf.TensorSpec(clip.shape, tf.uint8)
    return np.stack(list(dataset.with_options(options).as_numpy_iterator()))


def change(monkeypatch, name, **fields):
    monkeypatch.setitem(OPERATIONS, name, dataclasses.replace(OPERATIONS[name], **fields))


def applied(monkeypatch, name):
    """Which of 200 clips go through it: bool [200]."""
    change(monkeypatch, name, apply=lambda frames, seed: frames + 1)
    return augmented([name], 200, tf.zeros([1, 1, 1, 3], tf.uint8)).any(axis=(1, 2, 3, 4))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_seed_decides_the_bytes_eagerly_and_in_a_map(name, monkeypatch):
    change(monkeypatch, name, probability=1.0)
    first = augmented([name])
    np.testing.assert_array_equal(first, augmented([name]))
    eagerly = np.stack([augment_clip(CLIP, seed, [name]) for seed in seeds(12)])
    # A compiled graph may add floats in another order, which moves a tie to the next grey level.
    assert np.abs(first.astype(int) - eagerly).max() <= 1
    assert (len({clip.tobytes() for clip in first}) > 1) == (name not in ("flip", "reverse"))


@pytest.mark.slow
def test_the_number_of_threads_changes_nothing():
    one = augmented(NAMES, parallel=1, threads=1)
    np.testing.assert_array_equal(one, augmented(NAMES, parallel=8, threads=8))
    assert len({clip.tobytes() for clip in one}) == 12


def test_names_draw_independently_of_one_another():
    for seed in seeds(8):
        one_by_one = CLIP
        for name in NAMES:
            one_by_one = augment_clip(one_by_one, seed, [name])
        np.testing.assert_array_equal(one_by_one, augment_clip(CLIP, seed, NAMES[::-1]))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_applied_in_its_share_of_clips(name, monkeypatch):
    probability = OPERATIONS[name].probability
    share = applied(monkeypatch, name).mean()
    assert abs(share - probability) <= 4 * np.sqrt(probability * (1 - probability) / 200)


def test_names_are_applied_to_different_clips(monkeypatch):
    together = np.corrcoef([applied(monkeypatch, name) for name in NAMES if name not in ALWAYS])
    assert abs(together - np.eye(len(NAMES) - len(ALWAYS))).max() < 0.25


@pytest.mark.parametrize("name", NAMES)
def test_sizes_may_be_unknown_in_the_graph(name, monkeypatch):
    change(monkeypatch, name, probability=1.0)

    @tf.function(input_signature=[tf.TensorSpec([6, None, None, 3], tf.uint8), tf.TensorSpec([2], tf.int32)])
    def graph(frames, seed):
        result = augment_clip(frames, seed, [name])
        assert result.shape.as_list() == [6, None, None, 3]
        return result

    for clip in (CLIP, CLIP[:, :1, :1], CLIP[:, :3, :5]):
        assert graph(clip, seeds(1)[0]).shape == clip.shape


def test_no_name_leaves_a_clip_as_it_is():
    np.testing.assert_array_equal(augment_clip(CLIP, seeds(1)[0], []), CLIP)


def test_seeds_of_clips_differ_by_run_epoch_and_clip():
    drawn = {
        tuple(clip_seed(run, tf.constant(epoch), tf.constant(clip)).numpy())
        for run in range(3)
        for epoch in range(3)
        for clip in ("a", "b", "c")
    }
    assert len(drawn) == 27


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("default", ("flip", "colour")),
        ("none", ()),
        ("all", NAMES),
        ("colour,jpeg", ("jpeg", "colour")),
        ("colour, jpeg", ("jpeg", "colour")),
        (["flip"], ("flip",)),
        ([], ()),
    ],
)
def test_the_flag_names_augmentations(text, names):
    assert parse_augmentations(text) == names


@given(st.lists(st.sampled_from(NAMES), min_size=1))
def test_any_list_comes_in_the_order_of_application(chosen):
    names = parse_augmentations(",".join(chosen))
    assert names == parse_augmentations(chosen)
    assert set(names) == set(chosen)
    assert list(names) == sorted(names, key=NAMES.index)


@pytest.mark.parametrize("text", ["blurr", "flip,blurr", "", "flip,", "flip,none", "true", ["default"]])
def test_what_is_unknown_is_named_and_what_is_known_is_listed(text):
    with pytest.raises(UserError) as error:
        parse_augmentations(text)
    message = str(error.value)
    unknown = [name for name in (text.split(",") if isinstance(text, str) else text) if name not in NAMES]
    assert f"unknown augmentation '{unknown[0]}'" in message
    assert all(name in message for name in (*NAMES, "default", "none", "all"))
    assert "\n" not in message


def test_what_a_view_does_is_what_the_frames_would_have_gone_through():
    frames = tf.constant(np.random.default_rng(0).integers(100, 150, (2, 40, 50, 3), np.uint8))
    whole = whole_view(tf.constant(40), tf.constant(50), "stretch", 32)
    for epoch in range(6):
        seed = clip_seed(3, tf.constant(epoch), tf.constant("a"))
        for names in (["flip"], ["colour"], ["flip", "colour"]):
            changed = augment_clip(frames, seed, names)
            kept, view = augment_native_clip(frames, whole, seed, names)
            np.testing.assert_array_equal(kept, frames)
            ours = np.asarray(ResizeView(32)(frames[None], view[None])).astype(int)
            theirs = np.asarray(ResizeView(32)(changed[None], whole[None]))
            assert np.abs(ours - theirs).max() <= 2


def test_a_zoomed_view_lies_inside_the_whole_one():
    whole = whole_view(tf.constant(40), tf.constant(100), "letterbox", 32).numpy()
    for epoch in range(20):
        seed = clip_seed(3, tf.constant(epoch), tf.constant("a"))
        _, view = augment_native_clip(tf.zeros([1, 40, 100, 3], tf.uint8), whole, seed, ["zoom"])
        top, left, bottom, right = view.numpy()[4:8]
        assert whole[4] <= top < bottom <= whole[6] + 1e-3
        assert whole[5] <= left < right <= whole[7] + 1e-3
        assert 0.85 * 0.999 <= (bottom - top) / (whole[6] - whole[4]) <= 1.001
        np.testing.assert_array_equal(np.delete(view, range(4, 8)), np.delete(whole, range(4, 8)))
