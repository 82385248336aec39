"""Corruptions at a fixed strength: that they are as strong as they say, and the same every time."""

import numpy as np
import pytest
import skimage.data
import tensorflow as tf

from deepfake_tfdata import load_clips
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.augment import corrupt_clip
from deepfake_tfdata.input.augment.corrupt import AT_STRENGTH
from deepfake_tfdata.input.batches import find_split, load_in_order
from deepfake_tfdata.input.corruptions import CORRUPTIONS, corruption_text, parse_corruption
from deepfake_tfdata.input.options import InputOptions

# A photographed face that moves.
FACE = skimage.data.astronaut()[80:150, 190:270]
CLIP = np.stack([FACE[2 * t : 2 * t + 44, 3 * t : 3 * t + 37] for t in range(12)])
STRENGTHS = [(name, strength) for name, known in CORRUPTIONS.items() for strength in known.standard]


def corrupted(name, strength, clip_id="a", seed=0):
    return corrupt_clip(tf.constant(CLIP), (name, strength), tf.constant(clip_id), seed).numpy()


def psnr(frames):
    return 10 * np.log10(255**2 / np.mean(np.square(frames.astype(float) - CLIP)))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_stronger_one_leaves_less(name):
    known = CORRUPTIONS[name]
    quality = [psnr(corrupted(name, strength)) for strength in known.standard]
    assert len(quality) >= 3
    assert (np.diff(quality) < -0.5).all()
    assert 15 < quality[-1] < quality[0] < 50


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_its_neutral_strength_changes_nothing_and_the_ends_of_its_range_are_taken(name):
    known = CORRUPTIONS[name]
    if known.neutral is not None:
        np.testing.assert_array_equal(corrupted(name, known.neutral), CLIP)
    for strength in (known.low, known.high):
        assert parse_corruption(f"{name}:{strength}") == (name, strength)
        assert corrupted(name, strength).shape == CLIP.shape


def test_the_strength_is_in_its_unit():
    added = corrupted("noise", 5.0)[:, 10:-10].astype(float) - CLIP[:, 10:-10]
    assert np.std(added) == pytest.approx(5, rel=0.1)
    edge = np.zeros((1, 1, 61, 3), np.uint8)
    edge[:, :, 30] = 255
    line = corrupt_clip(tf.constant(edge), ("blur", 2.0), tf.constant("a")).numpy()[0, 0, :, 0].astype(float)
    spread = np.sqrt(np.sum(line * np.square(np.arange(61) - 30)) / line.sum())
    assert spread == pytest.approx(2, rel=0.05)
    numbers = np.arange(250, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 1, 3), np.uint8)
    dropped = corrupt_clip(tf.constant(numbers), ("frame_drop", 0.25), tf.constant("a")).numpy()
    assert np.mean(dropped != numbers) == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize("name", ["noise", "frame_drop"])
def test_clip_and_seed_decide_what_is_random(name):
    strength = CORRUPTIONS[name].standard[-1]
    first = corrupted(name, strength)
    np.testing.assert_array_equal(first, corrupted(name, strength))
    assert not np.array_equal(first, corrupted(name, strength, clip_id="b"))
    assert not np.array_equal(first, corrupted(name, strength, seed=1))


def test_the_names_are_those_of_the_operations():
    assert tuple(AT_STRENGTH) == tuple(CORRUPTIONS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fog:1", "--corruption=fog:1 is unknown; choose from codec, blur, .*, as in codec:40"),
        ("codec", r"--corruption=codec has no strength \(H.264 quantiser\); use 0 to 51, as in codec:40"),
        ("codec:", "--corruption=codec: has no strength"),
        ("codec:52", "--corruption=codec:52 has no strength"),
        ("blur:nan", "--corruption=blur:nan has no strength"),
        ("resize:0", r"--corruption=resize:0 has no strength .*; use 0.05 to 1"),
    ],
)
def test_what_is_unknown_or_out_of_range_is_named(text, message):
    with pytest.raises(UserError, match=message) as error:
        parse_corruption(text)
    assert "\n" not in str(error.value)


def test_a_text_gives_the_corruption_back():
    assert parse_corruption("") is None
    for corruption in STRENGTHS:
        assert parse_corruption(corruption_text(corruption)) == corruption


def test_clips_are_loaded_corrupted_in_source_pixels_and_the_records_stay(records):
    options = InputOptions(data=str(records), region="full", batch_size=4)
    shards = find_split(options, "val")
    before = {path: path.read_bytes() for path in (records / "full").iterdir()}
    plain, _ = next(iter(load_in_order(options, shards)))
    worse, _ = next(iter(load_in_order(options, shards, corruption=("noise", 10))))
    for row, clip_id in enumerate(plain["clip_id"]):
        height, width = (int(plain[side][row]) for side in ("height", "width"))
        inside = np.s_[row, :, :height, :width]
        expected = corrupt_clip(plain["frames"][inside], ("noise", 10), clip_id)
        np.testing.assert_array_equal(worse["frames"][inside], expected)
        np.testing.assert_array_equal(worse["view"][row], plain["view"][row])
    with pytest.raises(UserError, match="--corruption=fog:1 is unknown"):
        load_clips(shards, corruption=("fog", 1))
    assert before == {path: path.read_bytes() for path in (records / "full").iterdir()}
