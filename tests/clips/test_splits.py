import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.clips.splits import SPLITS, assign_splits, read_split_lists
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError

identities = st.integers(0, 60).map("{:03d}".format)


def original(identity):
    return Video("", identity, 0, "original", identity)


def fake(target, source, method="Face2Face"):
    return Video("", f"{target}_{source}", 1, method, target, source)


@given(st.sets(st.tuples(identities, identities), max_size=60), st.randoms())
def test_hashed_splits_never_share_an_identity(pairs, random):
    videos = [original(i) for pair in pairs for i in pair] + [fake(*pair) for pair in pairs]
    splits = assign_splits(videos, None)
    seen = {}
    for video in videos:
        for identity in video.identities:
            assert seen.setdefault(identity, splits[video.key]) == splits[video.key]
    random.shuffle(videos)
    assert assign_splits(videos, None) == splits


def test_hashed_splits_have_the_official_shares():
    videos = [original(f"{i:05d}") for i in range(4000)]
    counts = [list(assign_splits(videos, None).values()).count(split) / 4000 for split in SPLITS]
    assert counts == pytest.approx([0.72, 0.14, 0.14], abs=0.03)


def test_listed_splits_leave_out_what_would_leak():
    listed = {"000": "train", "001": "train", "002": "test"}
    videos = [original("000"), fake("000", "001"), fake("000", "002"), original("009")]
    assert assign_splits(videos, listed) == {"original/000": "train", "Face2Face/000_001": "train"}


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


@pytest.mark.parametrize("text", ["", "3", '["071", "054"]', '{"071": 1}'])
def test_refuses_what_is_no_list_of_pairs(tmp_path, text):
    write_lists(tmp_path)
    (tmp_path / "val.json").write_text(text)
    with pytest.raises(UserError, match=r"val\.json is no split list"):
        read_split_lists(tmp_path)
