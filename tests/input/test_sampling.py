"""Which clips a batch has."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.batch_order import BatchOrder, HostShare, build_sampler
from deepfake_tfdata.records.index import IndexedClip


def clip(manipulation, number, run=""):
    label = int(manipulation != "original")
    video = f"{number:03d}" + (f"_{number + 1:03d}" if label else "")
    name = f"{manipulation}/{video}{run}"
    return IndexedClip("train", 0, 0, 9, 8, 8, label, name, video, manipulation, f"{number:03d}", "", "")


def clips_of(original=0, **methods):
    return [
        clip(name, number)
        for name, count in {"original": original, **methods}.items()
        for number in range(count)
    ]


def draw(sampler, count, epoch=0, seed=0):
    positions = tf.range(count, dtype=tf.int64)
    return sampler.draw(positions, tf.constant(epoch, tf.int64), seed)[0].numpy().tolist()


def draw_epochs(sampler, count, epochs, seed=0):
    """As `draw`, of many epochs and in one graph, as the pipeline does."""
    positions = tf.range(count, dtype=tf.int64)
    draws = tf.data.Dataset.range(epochs).map(lambda epoch: sampler.draw(positions, epoch, seed)[0])
    return [tuple(rows) for rows in draws.as_numpy_iterator()]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(0, 5), st.integers(0, 2**31 - 1))
def test_an_epoch_has_every_clip_once(count, epoch, seed):
    assert sorted(draw(build_sampler(clips_of(count)), count, epoch, seed)) == list(range(count))


@pytest.mark.slow
def test_every_order_of_few_clips_comes_up_about_equally_often():
    sampler = build_sampler(clips_of(4))
    orders = Counter(draw_epochs(sampler, 4, 2400))
    assert len(orders) == 24
    assert 60 < min(orders.values()) <= max(orders.values()) < 150  # 100 each, four standard deviations


@pytest.mark.slow
def test_epochs_and_seeds_have_orders_of_their_own():
    sampler = build_sampler(clips_of(50))
    orders = {order for seed in range(8) for order in draw_epochs(sampler, 50, 200, seed)}
    assert len(orders) == 1600


def test_an_epoch_is_shuffled_as_a_whole():
    rows = np.array([draw(build_sampler(clips_of(1000)), 1000, epoch)[:100] for epoch in range(20)])
    assert abs(rows.mean() - 499.5) < 30  # what comes first is from everywhere


def test_classes_are_balanced_in_every_batch_and_all_clips_used():
    clips = clips_of(5, Face2Face=40, FaceSwap=10)
    rows = draw(build_sampler(clips, "class"), 100)
    labels = [clips[row].label for row in rows]
    assert labels[:10].count(1) == labels[50:60].count(1) == 5
    counts = Counter(rows)
    assert [counts[row] for row in range(5)] == [10] * 5
    assert all(counts[row] == 1 for row in range(5, 55))


def test_methods_are_balanced_against_all_originals():
    clips = clips_of(6, Face2Face=30, FaceSwap=10)
    drawn = Counter(clips[row].manipulation for row in draw(build_sampler(clips, "method"), 80))
    assert drawn == {"original": 40, "Face2Face": 20, "FaceSwap": 20}


def test_weights_say_how_often_each_is_drawn():
    clips = clips_of(6, Face2Face=30, FaceSwap=10)
    drawn = Counter(
        clips[row].manipulation for row in draw(build_sampler(clips, "original:3,FaceSwap:1"), 80)
    )
    assert drawn == {"original": 60, "FaceSwap": 20}


def test_a_group_is_spread_evenly_over_a_cycle():
    clips = clips_of(8, Face2Face=8, FaceSwap=8)
    names = [clips[row].manipulation for row in draw(build_sampler(clips, "original:6,FaceSwap:2"), 32)]
    for start in range(0, 32, 4):
        assert Counter(names[start : start + 4]) == {"original": 3, "FaceSwap": 1}
    labels = [clips[row].label for row in draw(build_sampler(clips, "method"), 32)]
    for start in range(31):
        assert 0 < sum(labels[start : start + 3]) < 3  # no long run of one class


def test_the_order_of_a_seed_stays_what_it_was():
    # Or a run that goes on would see other clips, and those of its steps be named wrongly.
    sampler = build_sampler(clips_of(3, Face2Face=5), "original:2,Face2Face:1")
    assert draw(sampler, 12, epoch=2, seed=7) == [1, 6, 2, 0, 7, 2, 1, 4, 0, 2, 5, 0]


def test_pairs_stand_side_by_side():
    clips = clips_of(6, Face2Face=8, FaceSwap=4)  # two fakes have no original here
    rows = draw(build_sampler(clips, pairs=True), 20)
    assert sorted(rows[1::2]) == sorted(row for row, c in enumerate(clips) if c.label and c.target_id < "006")
    for original, fake in zip(rows[::2], rows[1::2], strict=True):
        assert clips[original].label == 0
        assert clips[original].video_id == clips[fake].target_id


def test_pairs_of_several_clips_a_video_are_of_the_same_moment():
    clips = [clip(name, 0, f"#{run}") for name in ("original", "Face2Face") for run in range(3)]
    rows = draw(build_sampler(clips, pairs=True), 6)
    for original, fake in zip(rows[::2], rows[1::2], strict=True):
        assert clips[original].clip_id[-2:] == clips[fake].clip_id[-2:]


@pytest.mark.parametrize(
    ("clips", "options", "message"),
    [
        (clips_of(3, Face2Face=3), {"balance": "half"}, "--balance=half is unknown"),
        (clips_of(3, Face2Face=3), {"balance": "original:0"}, "--balance=original:0"),
        (clips_of(3, Face2Face=3), {"balance": "FaceSwap:1"}, "clips of 'FaceSwap'.*Face2Face"),
        (clips_of(3), {"balance": "class"}, "clips of 'fake', and there are none; there are original, real$"),
        (clips_of(0, FaceSwap=1), {"balance": "class"}, "clips of 'real'.*there are FaceSwap, fake$"),
        (clips_of(3), {"pairs": True}, "no fake whose original"),
        (clips_of(3, Face2Face=3), {"pairs": True, "balance": "class"}, "--balance=class"),
    ],
)
def test_mistakes_are_named(clips, options, message):
    with pytest.raises(UserError, match=message):
        build_sampler(clips, **options)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 20), st.booleans())
def test_hosts_divide_every_step(hosts, replicas, size, more, drop_remainder):
    step = hosts * replicas * size
    num_clips = step + more
    orders = [
        BatchOrder(num_clips, size, drop_remainder, HostShare(index, hosts, step), None, 0)
        for index in range(hosts)
    ]
    read = [
        row
        for order in orders
        for number in range(*order.numbers(1, 2, 0))
        for row in order.batch(tf.constant(number, tf.int64))[1].numpy()
    ]
    assert sorted(read) == list(range(num_clips // step * step if drop_remainder else num_clips))
    if drop_remainder:
        assert {order.batches_per_epoch for order in orders} == {num_clips // step * replicas}


def test_batches_are_numbered_over_epochs_and_steps():
    order = BatchOrder(19, 2, True, HostShare(1, 2, 8), build_sampler(clips_of(19)), 0)
    assert order.batches_per_epoch == 4  # two a step
    assert order.numbers(2, 1, 1) == (6, 12)
    assert order.numbers(None, 1, 1) == (6, tf.int64.max)
    epochs, rows, _ = zip(*(order.batch(tf.constant(number, tf.int64)) for number in range(12)), strict=True)
    assert [int(epoch) for epoch in epochs] == [0] * 4 + [1] * 4 + [2] * 4
    by_epoch = [np.concatenate(rows[start : start + 4]).tolist() for start in (0, 4, 8)]
    for epoch, found in enumerate(by_epoch):
        whole = draw(build_sampler(clips_of(19)), 16, epoch)
        assert found == whole[4:8] + whole[12:16]


@pytest.mark.parametrize("options", [{"balance": "class"}, {"pairs": True}])
def test_every_host_has_both_classes_and_whole_pairs(options):
    clips = clips_of(8, Face2Face=8)
    sampler = build_sampler(clips, **options)
    for index in range(2):
        order = BatchOrder(16, 4, True, HostShare(index, 2, 8), sampler, 0)
        for number in range(4):
            _, rows, _ = order.batch(tf.constant(number, tf.int64))
            labels = [clips[row].label for row in rows.numpy()]
            assert labels == [0, 1, 0, 1]
            if "pairs" in options:
                targets = [clips[row].target_id for row in rows.numpy()]
                assert targets[::2] == targets[1::2]


def test_a_clip_that_comes_again_in_an_epoch_has_another_turn():
    clips = clips_of(6, Face2Face=2)
    rows, turns = build_sampler(clips, "class").draw(
        tf.range(12, dtype=tf.int64), tf.constant(0, tf.int64), 0
    )
    drawn = list(zip(rows.numpy(), turns.numpy(), strict=True))
    assert len(set(drawn)) == 12


@pytest.mark.parametrize(
    ("share", "size", "options", "message"),
    [
        (HostShare(0, 1, 4), 8, {}, "can't be loaded in batches of 8"),
        (HostShare(2, 2, 4), 2, {}, "can't be loaded"),
        (HostShare(-1, 2, 4), 2, {}, "can't be loaded"),
        (HostShare(0, 1, 3), 3, {"pairs": True}, "even number"),
    ],
)
def test_shares_that_make_no_sense_are_refused(share, size, options, message):
    sampler = build_sampler(clips_of(8, Face2Face=8), **options)
    with pytest.raises(UserError, match=message):
        BatchOrder(16, size, True, share, sampler, 0)
