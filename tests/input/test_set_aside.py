"""The part of the validation that no training sees: who is in it, and that nobody is in two parts."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepfake_tfdata.input.set_aside as set_aside_module
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.batches import find_split, why_nobody_is_set_aside
from deepfake_tfdata.input.clip_selection import divided
from deepfake_tfdata.input.folds import Fold
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.input.set_aside import CALIBRATION, set_aside
from deepfake_tfdata.input.shards import POOL, Shards
from deepfake_tfdata.records.index import IndexedClip
from deepfake_tfdata.records.metadata import Conversion

PARTS = ("train", "val", CALIBRATION, "test")


def drawn_sizes(random, count):
    """Of each component of a split: real videos, fakes, and how many of these gave no clip."""
    return [tuple(row) for row in random.integers((1, 1, 0), (4, 5, 2), (count, 3)).tolist()]


def pool_of(splits):
    """Records of these components, of which there is nothing but the index."""
    clips, lost = [], {split: [] for split in splits}
    for split, components in splits.items():
        for number, (real, fake, without) in enumerate(components):
            name = f"{split}{number}"
            labels = [0] * real + [1] * fake
            for place, label in enumerate(labels):
                method = "Face2Face" if label else "original"
                video = {"component": name, "label": label, "manipulation": method}
                if place < without:
                    lost[split].append(video)
                else:
                    key = f"{name}_{place}"
                    clips.append(
                        IndexedClip(
                            split,
                            0,
                            0,
                            1,
                            8,
                            8,
                            clip_id=key,
                            video_id=key,
                            target_id=key,
                            source_id="",
                            **video,
                        )
                    )
    counts = {split: {"without_clips": lost[split]} for split in splits}
    conversion = Conversion({}, "", [], {}, {}, "", True, counts, {})
    return Shards(("full",), POOL, (tuple(clips),), ((),), {}, ClipSpec(), conversion)


def of_split(pool, split):
    rows = [row for row, clip in enumerate(pool.clips[0]) if clip.split == split]
    return replace(pool.only(rows), split=split)


def components(shards):
    return {clip.component for clip in shards.clips[0]}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(10, 30), st.floats(0.05, 0.95), st.sampled_from([None, Fold(2, 3)]))
def test_the_parts_are_disjoint_and_together_everything(seed, count, share, fold):
    random = np.random.default_rng(seed)
    val = drawn_sizes(random, count)
    splits = {"train": drawn_sizes(random, 18), "val": val, "test": drawn_sizes(random, 16)}
    pool = pool_of(splits)
    parts = {
        split: divided(
            pool if fold else of_split(pool, "val" if split == CALIBRATION else split), split, fold, share
        )
        for split in PARTS
    }
    assert [part.split for part in parts.values()] == list(PARTS)
    found = Counter(component for part in parts.values() for component in components(part))
    assert set(found.values()) == {1}
    clips = sorted(clip.clip_id for part in parts.values() for clip in part.clips[0])
    assert clips == sorted(clip.clip_id for clip in pool.clips[0])
    # What was lost counts where its people are.
    planned = sum(
        (
            Counter(
                real=part.planned["real"].get("original", 0), fake=part.planned["fake"].get("Face2Face", 0)
            )
            for part in parts.values()
        ),
        Counter(),
    )
    all_of = [size for split in splits.values() for size in split]
    assert planned == {"real": sum(real for real, *_ in all_of), "fake": sum(fake for _, fake, _ in all_of)}
    if not fold:
        assert len(components(parts[CALIBRATION])) <= min(max(1, round(share * len(val))), len(val) - 1)


def videos_of(count, labels=(0, 1)):
    return [(f"{number:03d}_{number + 1:03d}", label) for number in range(count) for label in labels]


def test_half_of_seventy_pairs_whatever_their_order_and_methods():
    aside, reason = set_aside(videos_of(70), 0.5)
    assert len(aside) == 35 and not reason
    assert set_aside(videos_of(70, (1, 0, 1, 1))[::-1], 0.5) == (aside, "")
    # Who is set aside stays so if more are.
    assert aside < set_aside(videos_of(70), 0.7)[0]


@pytest.mark.parametrize(
    ("videos", "share", "reason"),
    [
        (videos_of(9), 0.5, "there are 9 groups of people in the validation, fewer than 10"),
        (videos_of(40), 0.0, "asks for none"),
        ([*videos_of(40, (1,)), ("a", 0)], 0.5, "too few people with videos of both classes"),
    ],
)
def test_it_is_said_why_nothing_is_set_aside(videos, share, reason):
    aside, said = set_aside(videos, share)
    assert not aside and reason in said


@pytest.mark.parametrize("fold", ["", "1/3"])
def test_options_set_aside_of_real_records(records, monkeypatch, fold):
    monkeypatch.setattr(set_aside_module, "FEWEST_COMPONENTS", 2)
    options = InputOptions(data=str(records), region="full,mouth", fold=fold)
    parts = {split: find_split(options, split) for split in PARTS}
    assert sum(part.num_clips for part in parts.values()) == 28
    assert len(components(parts["val"])) == len(components(parts[CALIBRATION])) == 1
    assert not components(parts["val"]) & components(parts[CALIBRATION])
    assert parts["val"].planned == {"real": {"original": 2}, "fake": {"Face2Face": 2}}
    whole = find_split(replace(options, calibration=0.0), "val")
    assert components(whole) == components(parts["val"]) | components(parts[CALIBRATION])


def test_few_people_validate_all_and_a_line_says_so(records, monkeypatch):
    options = InputOptions(data=str(records))
    assert len(components(find_split(options, "val"))) == 2
    why = "nothing is set aside for calibration: there are 2 groups of people"
    assert why in why_nobody_is_set_aside(options)
    with pytest.raises(UserError, match="nothing is set aside for calibration: there are 2 groups"):
        find_split(options, CALIBRATION)
    monkeypatch.setattr(set_aside_module, "FEWEST_COMPONENTS", 2)
    assert why_nobody_is_set_aside(options) == ""
