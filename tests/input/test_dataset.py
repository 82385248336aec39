import shutil

import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import load_clips
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.batch_order import HostShare
from deepfake_tfdata.input.dataset import clip_ids_of_step
from deepfake_tfdata.input.shards import find_shards
from deepfake_tfdata.records.index import INDEX_FILE
from tests.fakes import FRAME_SIZE, NUM_FRAMES

TRAINING = {"shuffle": True, "augment": "all", "drop_remainder": True, "num_epochs": 3}
# For what is asked of the order only: most of the time of loading these few clips goes to augmentation.
PLAIN = {**TRAINING, "augment": "none"}


def batches(records, split="train", size=5, **options):
    return [
        (features["clip_id"].numpy().tolist(), features["frames"].numpy())
        for features, _ in load_clips(records, "mouth", split, size, **options)
    ]


def same(first, second):
    return len(first) == len(second) and all(
        a[0] == b[0] and np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=True)
    )


def test_evaluation_is_complete_in_order_and_each_clip_once(records):
    found = batches(records)
    assert [len(ids) for ids, _ in found] == [5, 5, 2]
    assert found[0][1].dtype == np.uint8
    ids = [clip for batch, _ in found for clip in batch]
    assert len(set(ids)) == 12
    assert same(found, batches(records))
    assert ids == [clip for batch, _ in batches(records, size=1) for clip in batch]


def test_resized_clips_have_one_shape(resized_records, records):
    dataset = load_clips(resized_records, "mouth", "train", 5, drop_remainder=True)
    shape = (5, NUM_FRAMES, FRAME_SIZE, FRAME_SIZE, 3)
    assert dataset.element_spec[0]["frames"].shape == shape
    assert "view" not in dataset.element_spec[0]
    assert batches(resized_records)[0][1].shape == shape
    assert [ids for ids, _ in batches(resized_records)] == [ids for ids, _ in batches(records)]


@pytest.mark.slow
def test_resized_clips_are_not_padded_whatever_their_size(convert_flags, command, tmp_path):
    flags = ["--regions=mouth", "--limit=4", "--geometry=resized", "--frame_size=50"]
    assert command("convert", *convert_flags, *flags, f"--output={tmp_path}").returncode == 0
    assert batches(tmp_path, size=2)[0][1].shape[2:] == (50, 50, 3)


def test_labels_follow_the_clips(records):
    for features, labels in load_clips(records, "full", "train", 4):
        is_fake = [clip.startswith(b"Face2Face") for clip in features["clip_id"].numpy()]
        assert labels.numpy().tolist() == is_fake


@pytest.fixture(scope="module")
def whole(records):
    """Three epochs of two batches."""
    tf.random.set_seed(1)
    return batches(records, seed=3, **TRAINING)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_batches_and_another_gives_others(records, whole):
    tf.random.set_seed(0)
    assert same(whole, batches(records, seed=3, **TRAINING))
    assert not same(whole, batches(records, seed=4, **TRAINING))
    epochs = [[clip for ids, _ in whole[i : i + 2] for clip in ids] for i in (0, 2, 4)]
    assert epochs[0] != epochs[1] != epochs[2]
    assert all(len(set(epoch)) == 10 for epoch in epochs)


@pytest.mark.slow
@pytest.mark.parametrize(("epoch", "batch"), [(0, 1), (1, 0), (2, 1)])
def test_it_resumes_at_a_batch_of_an_epoch(records, whole, epoch, batch):
    options = {**TRAINING, "num_epochs": 3 - epoch, "first_epoch": epoch, "first_step": batch}
    assert same(whole[2 * epoch + batch :], batches(records, seed=3, **options))


@pytest.mark.slow
def test_augmentation_changes_frames_only_when_asked_for(resized_records):
    plain, default = batches(resized_records), batches(resized_records, augment="default")
    assert [ids for ids, _ in plain] == [ids for ids, _ in default]
    assert not same(plain, default)
    assert same(default, batches(resized_records, augment=("colour", "flip")))
    assert same(plain, batches(resized_records, augment=[]))


def test_what_augmentation_draws_follows_from_seed_epoch_and_clip(resized_records):
    def frames(seed, epoch):
        return [
            clip
            for _, frames in batches(
                resized_records, "val", 4, augment="colour", seed=seed, first_epoch=epoch
            )
            for clip in frames
        ]

    drawn = [frames(*place) for place in ((0, 0), (0, 0), (1, 0), (0, 1))]
    assert all(map(np.array_equal, drawn[0], drawn[1]))
    for others in drawn[2:]:
        assert not any(map(np.array_equal, drawn[0], others))


def test_a_clip_that_comes_again_in_an_epoch_is_changed_in_another_way(records):
    options = {"shuffle": True, "augment": "colour", "balance": "original:1", "drop_remainder": True}
    ((features, _),) = load_clips(records, "mouth", "train", 12, **options)
    clips = list(zip(features["clip_id"].numpy(), map(bytes, features["view"].numpy()), strict=True))
    assert len({clip_id for clip_id, _ in clips}) == 6
    assert len(set(clips)) == 12


@pytest.mark.slow
def test_a_record_of_another_spec_is_refused(records, other_records, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(records, copy)
    (shard,) = (other_records / "mouth").glob("*-train.tfrecord-*")
    shutil.copy(shard, copy / "mouth" / shard.name)
    shutil.copy(other_records / "mouth" / INDEX_FILE, copy / "mouth" / INDEX_FILE)
    with pytest.raises(tf.errors.InvalidArgumentError, match="has spec"):
        batches(copy)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nose", "train", 2), "no region 'nose'.*full, eyes, mouth"),
        (("mouth", "dev", 2), "--split=dev is unknown; choose from train, val, test"),
        (("mouth", "train", 0), "--batch_size=0"),
    ],
)
def test_mistakes_are_named(records, arguments, message):
    with pytest.raises(UserError, match=message):
        load_clips(records, *arguments)


@pytest.mark.parametrize("drawing", [{"balance": "class"}, {"pairs": True}])
def test_what_draws_at_random_needs_shuffling(records, drawing):
    with pytest.raises(UserError, match="they need shuffle=True"):
        load_clips(records, "mouth", "train", 2, **drawing)


def test_an_unknown_augmentation_is_named(records):
    with pytest.raises(UserError, match="unknown augmentation 'blurr'"):
        load_clips(records, "mouth", "train", 2, augment="blurr")


def test_a_batch_larger_than_the_split_would_never_come(records):
    with pytest.raises(UserError, match="--batch_size=99 exceeds the 12 clips"):
        load_clips(records, "mouth", "train", 99, drop_remainder=True)


def test_no_records_names_the_convert_command(tmp_path):
    with pytest.raises(UserError, match=r"python -m deepfake_tfdata\.convert"):
        load_clips(tmp_path, "mouth", "train", 2)


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
def test_hosts_divide_the_steps_of_one_without_loss(records, count):
    size = 2 * count
    whole = batches(records, seed=3, size=size, **PLAIN)
    hosts = [
        batches(records, seed=3, size=2, share=HostShare(index, count, size), **PLAIN)
        for index in range(count)
    ]
    assert {len(host) for host in hosts} == {len(whole)}
    for step, (ids, _) in enumerate(whole):
        assert sorted(ids) == sorted(clip for host in hosts for clip in host[step][0])


def test_three_readers_of_a_whole_split_lose_and_double_nothing(records):
    hosts = [batches(records, size=3, share=HostShare(index, 3, 9)) for index in range(3)]
    ids = [clip for host in hosts for batch, _ in host for clip in batch]
    assert sorted(ids) == sorted(clip for batch, _ in batches(records) for clip in batch)


@pytest.mark.slow
def test_replicas_of_a_host_share_its_steps(records):
    whole = batches(records, seed=3, size=4, **PLAIN)
    replicas = batches(records, seed=3, size=2, share=HostShare(0, 1, 4), **TRAINING)
    for step, (ids, _) in enumerate(whole):
        assert ids == replicas[2 * step][0] + replicas[2 * step + 1][0]
    options = {**TRAINING, "num_epochs": 2, "first_epoch": 1, "first_step": 1}
    resumed = batches(records, seed=3, size=2, share=HostShare(0, 1, 4), **options)
    assert same(resumed, replicas[8:])


@pytest.mark.slow
@pytest.mark.parametrize("sampling", [{}, {"balance": "class"}, {"pairs": True}])
@pytest.mark.parametrize(("epoch", "step"), [(0, 0), (1, 1)])
def test_the_clips_of_a_step_can_be_named_afterwards(records, epoch, step, sampling):
    ids, _ = batches(records, seed=3, size=6, **PLAIN, **sampling)[2 * epoch + step]
    shards = find_shards(records, "mouth", "train")
    named = clip_ids_of_step(shards, 6, seed=3, epoch=epoch, step=step, **sampling)
    assert [clip_id.encode() for clip_id in named] == ids


@pytest.mark.slow
def test_cores_change_no_batch(records, whole, monkeypatch):
    for cores in (1, 7):
        monkeypatch.setattr("deepfake_tfdata.input.padding.available_cores", lambda cores=cores: cores)
        assert same(batches(records, seed=3, **TRAINING), whole)
