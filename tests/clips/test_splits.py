import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepfake_tfdata.clips.splits import (
    SPLITS,
    assign_splits,
    connected_components,
    divide_by_hash,
    read_conversion_dict,
    read_split_lists,
    split_by_identity,
)
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError

identities = st.integers(0, 60).map("{:03d}".format)
pair_sets = st.sets(st.tuples(identities, identities), max_size=60)
# Which source video an identity was cut from: few enough of them for many to be joined.
source_videos = st.dictionaries(identities, st.integers(0, 20).map("youtube {}".format), max_size=60)
split_names = st.sampled_from(SPLITS)


def original(identity):
    return Video("", identity, 0, "original", identity)


def fake(target, source, method="Face2Face"):
    return Video("", f"{target}_{source}", 1, method, target, source)


def videos_of(pairs):
    originals = {identity: original(identity) for pair in pairs for identity in pair}
    return [*originals.values(), *(fake(*pair) for pair in sorted(pairs))]


def assert_nothing_crosses(videos, assignment, groups):
    """Every video is accounted for, and neither an identity nor a source video is in two splits."""
    assert assignment.splits.keys() | assignment.left_out.keys() == {video.key for video in videos}
    assert not assignment.splits.keys() & assignment.left_out.keys()
    seen = {}
    for video in videos:
        if video.key in assignment.splits:
            for identity in video.identities:
                for name in (identity, groups.get(identity, identity)):
                    split = assignment.splits[video.key]
                    assert seen.setdefault(name, split) == split


@settings(deadline=None)  # the first imports SciPy
@given(pair_sets, source_videos, st.randoms())
def test_divided_by_hash_nothing_crosses_whatever_the_order(pairs, groups, random):
    videos = videos_of(pairs)
    assignment = assign_splits(videos, None, groups)
    assert_nothing_crosses(videos, assignment, groups)
    random.shuffle(videos)
    assert assign_splits(videos, None, groups).splits == assignment.splits


@given(pair_sets, source_videos, st.dictionaries(identities, split_names))
def test_divided_by_lists_of_identities_nothing_crosses(pairs, groups, listed):
    videos = videos_of(pairs)
    given = split_by_identity(videos, listed)
    assignment = assign_splits(videos, given, groups)
    assert_nothing_crosses(videos, assignment, groups)
    tested = {key for key, split in given.items() if split == "test"}
    assert tested == {key for key, split in assignment.splits.items() if split == "test"}


@given(pair_sets, source_videos, st.data())
def test_divided_by_lists_of_videos_nothing_crosses(pairs, groups, data):
    videos = videos_of(pairs)
    given = {video.key: data.draw(split_names) for video in videos}
    assert_nothing_crosses(videos, assign_splits(videos, given, groups), groups)


@settings(deadline=None)
@given(st.lists(st.lists(identities, max_size=4)))
def test_the_smallest_that_can_be_reached_names_a_component(memberships):
    reached = {member: {member} for members in memberships for member in members}
    for _ in reached:  # a step each; no way is longer than there are members
        for members in memberships:
            together = set().union(*(reached[member] for member in members))
            reached |= dict.fromkeys(members, together)
    assert connected_components(memberships) == {member: min(found) for member, found in reached.items()}


def test_swapped_pairs_lose_nothing():
    pairs = {(f"{i:03d}", f"{i + 1:03d}") for i in range(0, 1000, 2)}
    assignment = assign_splits(videos_of(pairs | {(b, a) for a, b in pairs}))
    assert not assignment.left_out
    assert set(assignment.splits.values()) == set(SPLITS)


@pytest.mark.parametrize(("people", "divided"), [(20, False), (21, True)])
def test_an_actors_targets_stay_together_up_to_twenty_people(people, divided):
    videos = videos_of({(f"id{target}", "id0") for target in range(1, people)})
    assignment = assign_splits(videos)
    assert (len(set(assignment.splits.values())) > 1) == divided
    assert bool(assignment.left_out) == divided


def test_everybody_swapped_with_everybody_is_still_divided():
    people = [f"id{i}" for i in range(60)]
    videos = videos_of({(a, b) for a in people for b in people if a != b})
    assignment = assign_splits(videos)
    assert {assignment.splits[f"original/{person}"] for person in people} == set(SPLITS)
    kept = len(assignment.splits) / len(videos)
    assert 0.4 < kept < 0.75
    assert set(assignment.left_out.values()) == {"its identities fall into different splits"}


@pytest.mark.parametrize(
    ("splits", "shares"), [(SPLITS, [0.72, 0.14, 0.14]), (("train", "val"), [0.837, 0.163, 0])]
)
def test_hashed_splits_have_the_official_shares(splits, shares):
    found = list(divide_by_hash([original(f"{i:05d}") for i in range(4000)], splits).values())
    assert [found.count(split) / 4000 for split in SPLITS] == pytest.approx(shares, abs=0.03)


def test_listed_splits_leave_out_what_would_leak():
    listed = {"000": "train", "001": "train", "002": "test"}
    videos = [original("000"), fake("000", "001"), fake("000", "002"), original("009")]
    assignment = assign_splits(videos, split_by_identity(videos, listed))
    assert assignment.splits == {"original/000": "train", "Face2Face/000_001": "train"}
    assert set(assignment.left_out) == {"Face2Face/000_002", "original/009"}


def test_the_test_split_stays_as_published_and_the_others_give_way():
    videos = [original("a"), fake("a", "b"), original("b"), original("c")]
    given = {"original/a": "test", "Face2Face/a_b": "train", "original/b": "val", "original/c": "train"}
    assignment = assign_splits(videos, given)
    assert assignment.splits == {"original/a": "test", "original/b": "val", "original/c": "train"}
    assert assignment.left_out == {"Face2Face/a_b": "an identity or source video of it is in the test split"}


def test_source_videos_that_straddle_stay_in_one_split_only():
    videos = videos_of({("331", "001"), ("332", "002"), ("005", "006")})
    listed = {"331": "train", "001": "train", "332": "test", "002": "test", "005": "train", "006": "train"}
    groups = {"331": "youtube R03Sko97IDE", "332": "youtube R03Sko97IDE"}
    loose = assign_splits(videos, split_by_identity(videos, listed))
    strict = assign_splits(videos, split_by_identity(videos, listed), groups)
    assert not loose.left_out
    assert set(strict.left_out) == {"original/331", "Face2Face/331_001"}
    assert strict.splits["original/332"] == "test"


def test_identities_of_one_source_video_are_divided_together_by_hash():
    people = [f"{i:03d}" for i in range(80)]
    groups = {person: f"youtube {i // 4}" for i, person in enumerate(people)}
    assignment = assign_splits([original(person) for person in people], None, groups)
    assert not assignment.left_out
    assert set(assignment.splits.values()) == set(SPLITS)


def test_the_conversion_dictionary_names_source_videos(tmp_path):
    path = tmp_path / "conversion_dict.json"
    path.write_text('{"331": "R03Sko97IDE 0", "332": "R03Sko97IDE 1", "061": "3xDBNxpxXLQ"}')
    assert read_conversion_dict(path) == {
        "331": "youtube R03Sko97IDE",
        "332": "youtube R03Sko97IDE",
        "061": "youtube 3xDBNxpxXLQ",
    }
    for text in ('["331"]', '{"331": 5}'):
        path.write_text(text)
        with pytest.raises(UserError, match="no conversion dictionary"):
            read_conversion_dict(path)
    with pytest.raises(UserError, match=r"no .*missing"):
        read_conversion_dict(tmp_path / "missing")


def write_lists(folder, **lists):
    for split in SPLITS:
        (folder / f"{split}.json").write_text(json.dumps(lists.get(split, [])))


def test_reads_the_official_lists(tmp_path):
    write_lists(tmp_path, train=[["071", "054"]], test=[["003", "000"]])
    assert read_split_lists(tmp_path) == {"071": "train", "054": "train", "003": "test", "000": "test"}


def test_refuses_an_identity_in_two_splits(tmp_path):
    write_lists(tmp_path, train=[["071", "054"]], val=[["054", "003"]])
    with pytest.raises(UserError, match=r"'054' in both train\.json and val\.json"):
        read_split_lists(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"is no split list or dictionary in JSON \(.*; --splits names a folder"),
        ("3", "is no split list; expected pairs"),
        ('["071", "054"]', "is no split list; expected pairs"),
        ('{"071": 1}', "is no split list; expected pairs"),
    ],
)
def test_refuses_what_is_no_list_of_pairs(tmp_path, text, message):
    write_lists(tmp_path)
    (tmp_path / "val.json").write_text(text)
    with pytest.raises(UserError, match=rf"val\.json {message}"):
        read_split_lists(tmp_path)
