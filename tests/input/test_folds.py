"""Grouped cross-validation: who is tested in which fold, and that the right clips are read for it."""

import hashlib
import shutil
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata import load_clips
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.cache import cached
from deepfake_tfdata.input.clip_selection import divided, select_clips
from deepfake_tfdata.input.folds import Fold, divide_components, parse_fold
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.input.reading import explained_damage
from deepfake_tfdata.input.shards import POOL, find_shards
from deepfake_tfdata.records.index import read_index
from deepfake_tfdata.records.metadata import read_conversion, write_conversion

# As many real and fake videos as a component may have; at least one of each, so that no group lacks one.
sizes_of_components = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 9)), min_size=20, max_size=50)


def ids(shards):
    return [clip.clip_id for clip in shards.clips[0]]


@given(sizes_of_components, st.integers(3, 20))
def test_a_division_is_complete_and_knows_no_order(members, count):
    sizes = {f"c{number}": size for number, size in enumerate(members)}
    groups = divide_components(sizes, count)
    assert groups.keys() == sizes.keys()
    assert set(groups.values()) == set(range(1, count + 1))
    for order in (sorted(sizes), sorted(sizes, key=sizes.__getitem__), list(sizes)[::-1]):
        assert divide_components({name: sizes[name] for name in order}, count) == groups


@given(st.integers(20, 80), st.integers(3, 20), st.integers(1, 4))
def test_groups_of_equal_components_differ_by_one_component_at_most(number, count, methods):
    components = [f"{index:03d}" for index in range(number)]
    groups = divide_components(dict.fromkeys(components, (2, 2 * methods)), count)
    numbers = Counter(groups.values()).values()
    assert max(numbers) - min(numbers) <= 1
    # One method or four: who is in which group is the same.
    assert groups == divide_components(dict.fromkeys(components, (2, 2)), count)


def test_groups_are_balanced_by_class():
    """Two thirds of the originals have no fake, as of Celeb-DF's; components are of many sizes."""
    sizes = {f"c{number}": (1 + number % 7, number % 5) for number in range(60)}
    sizes |= {f"r{number}": (1, 0) for number in range(200)}
    groups = divide_components(sizes, 5)
    for label in range(2):
        counts = [
            sum(sizes[name][label] for name, group in groups.items() if group == number)
            for number in range(1, 6)
        ]
        assert max(counts) - min(counts) <= 4, counts


def test_the_names_decide_ties_by_their_hash():
    """Neighbours in the alphabet, whom a data set may have sorted by anything, are not neighbours in it."""
    components = [f"{number:03d}" for number in range(1000)]
    groups = divide_components(dict.fromkeys(components, (2, 2)), 5)
    by_hash = sorted(components, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    assert [groups[name] for name in by_hash[:6]] == [1, 2, 3, 4, 5, 1]


@given(st.integers(3, 20), st.data())
def test_every_group_is_tested_once_and_validates_once(count, data):
    group = data.draw(st.integers(1, count))
    parts = [Fold(number, count).split_of(group) for number in range(1, count + 1)]
    assert Counter(parts) == {"test": 1, "val": 1, "train": count - 2}
    assert parts[group - 1] == "test" and parts[group - 2] == "val"


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (dict.fromkeys("ab", (2, 2)), "2 groups of identities that fakes join, too few for 3 folds"),
        ({"a": (2, 2), "b": (2, 2), "c": (2, 0)}, "group 3 of 3 would have no fake video"),
        ({"a": (0, 2), "b": (9, 2), "c": (9, 2)}, "group 3 of 3 would have no real video"),
        (dict.fromkeys("abcd", (2, 0)), "group 1 of 3 would have no fake video"),
    ],
)
def test_what_can_not_be_divided_is_refused_in_a_line(sizes, message):
    with pytest.raises(UserError, match=message):
        divide_components(sizes, 3)


@pytest.mark.parametrize(("text", "kept"), [("", ""), (" ", ""), ("2/5", "2/5"), (" 02 / 5 ", "2/5")])
def test_a_fold_is_kept_in_one_form(text, kept):
    assert InputOptions(fold=text).fold == kept


@pytest.mark.parametrize(
    "text", ["2", "2/", "/5", "0/5", "6/5", "1/2", "1/21", "-1/5", "a/b", "2/5/7", "2.0/5"]
)
def test_what_is_no_fold_is_refused(text):
    with pytest.raises(UserError, match=f"--fold={text} is no fold; use K/N such as 2/5"):
        InputOptions(fold=text)
    with pytest.raises(UserError):
        parse_fold(text)


def test_over_the_folds_every_clip_is_tested_once_and_no_component_crosses(records):
    everything = {clip.clip_id for clip in read_index(records / "mouth")}
    tested = []
    for number in range(1, 4):
        parts = [select_clips(records, "mouth", split, fold=f"{number}/3") for split in SPLITS]
        assert sorted(clip for part in parts for clip in ids(part)) == sorted(everything)
        components = [{clip.component for clip in part.clips[0]} for part in parts]
        assert sum(map(len, components)) == len(set().union(*components)) == 7
        assert all({clip.label for clip in part.clips[0]} == {0, 1} for part in parts)
        assert all(part.split == split for part, split in zip(parts, SPLITS, strict=True))
        tested += ids(parts[2])
    assert sorted(tested) == sorted(everything)


def test_a_fold_is_the_same_whatever_the_order_of_the_index(records):
    pool = find_shards(records, "full,mouth", POOL)
    backwards = pool.only(reversed(range(pool.num_clips)))
    one, other = (divided(each, "test", Fold(2, 3)) for each in (pool, backwards))
    assert ids(one) == ids(other)[::-1] and ids(one)


def test_train_clips_have_another_digest_in_every_fold(records):
    folds = ("1/3", "2/3", "3/3", "1/4", "2/4", "3/4", "4/4", "")
    digests = [select_clips(records, "mouth", "train", fold=fold).digest for fold in folds]
    assert len(set(digests)) == len(folds)
    # All clips together have one, so that the features kept of them serve all folds.
    assert len({select_clips(records, "mouth", POOL, fold=fold).digest for fold in folds}) == 1


def test_clips_are_read_from_the_shards_of_all_splits(records):
    """Pixels and all: what a fold reads of a clip is what the conversion's own split reads of it."""

    def sums(split, fold=""):
        """Of each clip's pixels, which padding leaves alone."""
        return {
            clip.decode(): [int(features["frames"][region][row].sum()) for region in ("full", "mouth")]
            for features, _ in load_clips(records, "full,mouth", split, 3, fold=fold).as_numpy_iterator()
            for row, clip in enumerate(features["clip_id"])
        }

    own = {clip: found for split in SPLITS for clip, found in sums(split).items()}
    of_fold = {split: sums(split, "2/3") for split in SPLITS}
    assert {clip: found for part in of_fold.values() for clip, found in part.items()} == own
    shards = select_clips(records, "full,mouth", "train", fold="2/3")
    assert {clip.split for clip in shards.clips[0]} == set(SPLITS)
    assert list(of_fold["train"]) == ids(shards)


def test_local_copies_serve_all_folds(records, tmp_path):
    shards = select_clips(records, "mouth", "train", fold="1/3")
    copies = cached(shards, str(tmp_path))
    assert ids(copies) == ids(shards)
    copied = sorted(tmp_path.iterdir())
    assert len(copied) == 3
    others = [select_clips(records, "mouth", "val", str(tmp_path), fold="2/3")]
    others.append(select_clips(records, "mouth", "train", str(tmp_path)))
    assert sorted(tmp_path.iterdir()) == copied
    for each in others:
        assert {file.rpartition("/")[0] for file in each.files(0)} == {str(tmp_path)}
        assert sum(len(labels) for _, labels in load_clips(each, batch_size=4)) == each.num_clips


def damaged(folder, clip):
    """Flips a bit of a clip's pixels."""
    (shard,) = (folder / "mouth").glob(f"*-{clip.split}.tfrecord-*")
    content = bytearray(shard.read_bytes())
    content[clip.offset + clip.length // 2] ^= 1
    shard.write_bytes(content)
    return shard


def test_damage_is_named_or_passed_over_wherever_the_clip_lies(records, tmp_path):
    copy = shutil.copytree(records, tmp_path / "copy")
    whole = select_clips(copy, "mouth", "train", fold="1/5")
    clip = next(clip for clip in whole.clips[0][::-1] if clip.split != "train")
    shard = damaged(copy, clip)
    expected = f"{shard.name} is damaged at byte {clip.offset} .clip {clip.clip_id}"
    with pytest.raises(UserError, match=expected), explained_damage(whole):
        list(load_clips(whole, batch_size=2))
    left = select_clips(copy, "mouth", "train", skip_corrupt=True, fold="1/5")
    assert left.num_skipped == 1
    assert ids(left) == [each for each in ids(whole) if each != clip.clip_id]
    others = select_clips(copy, "mouth", "test", skip_corrupt=True, fold="1/5")
    assert others.num_skipped == 0


def losing(pool, lost):
    """The same videos, of which some gave no clip."""
    noted = [{name: getattr(clip, name) for name in ("component", "label", "manipulation")} for clip in lost]
    counts = {**pool.conversion.counts, "val": {**pool.conversion.counts["val"], "without_clips": noted}}
    rows = [row for row, clip in enumerate(pool.clips[0]) if clip not in lost]
    return replace(pool.only(rows), conversion=replace(pool.conversion, counts=counts))


def test_videos_without_a_clip_are_divided_and_counted_as_the_others(records):
    """So that all conversions of the same videos have the same folds, and a coverage says what was lost."""
    pool = find_shards(records, "mouth", POOL)
    components = sorted({clip.component for clip in pool.clips[0]})
    one = [next(clip for clip in pool.clips[0] if clip.label)]
    several = [clip for clip in pool.clips[0] if clip.component == components[0]] + one
    for lost in (one, several):
        left = losing(pool, lost)
        for split in SPLITS:
            whole, part = (divided(each, split, Fold(1, 3)) for each in (pool, left))
            assert ids(part) == [clip.clip_id for clip in whole.clips[0] if clip not in lost]
            assert part.planned == whole.planned
    planned = [divided(pool, split, Fold(1, 3)).planned for split in SPLITS]
    assert sum(each["real"]["original"] for each in planned) == 14
    assert sum(each["fake"]["Face2Face"] for each in planned) == 14


def test_a_split_without_any_clip_is_refused(records):
    pool = find_shards(records, "mouth", POOL)
    tested = divided(pool, "test", Fold(3, 4)).clips[0]
    with pytest.raises(UserError, match="the test split of --fold=3/4 has no clip"):
        divided(losing(pool, tested), "test", Fold(3, 4))


def test_records_of_an_earlier_version_say_how_to_mend_them(records, tmp_path):
    copy = shutil.copytree(records, tmp_path / "copy")
    conversion = read_conversion(copy)
    for counts in conversion.counts.values():
        del counts["without_clips"]
    write_conversion(copy, conversion)
    with pytest.raises(UserError, match="run the same convert command again"):
        select_clips(copy, "mouth", "train", fold="1/3")
    assert ids(select_clips(copy, "mouth", "train")) == ids(find_shards(records, "mouth", "train"))


@pytest.mark.parametrize(("split", "fold"), [("tests", "1/3"), ("tests", ""), ("train", "1/8")])
def test_mistakes_are_named(records, split, fold):
    with pytest.raises(UserError, match=r"--split=tests is unknown|7 groups .* too few for 8 folds"):
        select_clips(records, "mouth", split, fold=fold)
