import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.plan import ShardPlan, plan_shards
from deepfake_tfdata.records.plan_file import read_plan, write_plan

SPEC = ClipSpec()
JPEG = ClipSpec(geometry="resized", encoding="jpeg")
names = st.sets(st.integers(0, 5000), max_size=1500)


def videos_of(numbers):
    return [Video("", f"{n:04d}", n % 2, "original", f"{n:04d}") for n in numbers]


def splits_of(videos):
    return {video.key: SPLITS[int(video.video_id) % 3] for video in videos}


@given(names, st.randoms())
def test_every_video_is_in_exactly_one_shard_whatever_the_order(numbers, random):
    videos = videos_of(numbers)
    plan = plan_shards(videos, splits_of(videos), SPEC, 256)
    planned = [video.key for shard in plan for video in shard.videos]
    assert sorted(planned) == sorted(video.key for video in videos)
    for shard in plan:
        assert {splits_of([video])[video.key] for video in shard.videos} == {shard.split}
    random.shuffle(videos)
    assert plan_shards(videos, splits_of(videos), SPEC, 256) == plan


@given(names)
def test_shards_of_a_split_are_of_even_size_and_numbered(numbers):
    videos = videos_of(numbers)
    for split in SPLITS:
        shards = [s for s in plan_shards(videos, splits_of(videos), SPEC, 256) if s.split == split]
        lengths = [len(shard.videos) for shard in shards]
        assert [(s.index, s.count) for s in shards] == [(i, len(shards)) for i in range(len(shards))]
        assert not lengths or max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(
    ("spec", "bytes_of_a_clip"),
    [
        (JPEG, 32 * 17_500),  # measured on mouth crops, quality 95
        (SPEC, 32 * 3 * 200 * 70),  # a mouth of a face of 200 pixels
        (SPEC, 32 * 3 * 320 * 320),  # a large whole face
    ],
)
def test_full_scale_shards_have_the_size_that_the_design_asks_for(spec, bytes_of_a_clip):
    videos = videos_of(range(2000))
    plan = plan_shards(videos, {video.key: "train" for video in videos}, spec, 256)
    sizes = [len(shard.videos) * bytes_of_a_clip / 2**20 for shard in plan]
    assert all(50 <= size <= 1024 for size in sizes)
    assert plan[0].file_name("mouth") == f"deepfake_mouth-train.tfrecord-00000-of-{len(plan):05d}"


def test_a_plan_is_read_from_its_file_as_it_was_written(tmp_path):
    original = Video("/videos/\udcff\u2028.mp4", "a", 0, "original", "a", "b", "c")
    values = dict.fromkeys((field.name for field in dataclasses.fields(Video)), "x")
    fake = Video(**{**values, "label": 1, "original": original})
    shards = [ShardPlan("train", 0, 2, (original, fake)), ShardPlan("train", 1, 2, (fake,))]
    write_plan(tmp_path / "plan.jsonl", shards)
    assert list(read_plan(tmp_path / "plan.jsonl")) == [
        (("train", 0, 2), 0, original),
        (("train", 0, 2), 1, fake),
        (("train", 1, 2), 0, fake),
    ]


def test_a_plan_that_somebody_else_wrote_runs_no_code(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("run").touch, ())

    (tmp_path / "plan").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="decode"):
        list(read_plan(tmp_path / "plan"))
    assert not (tmp_path / "run").exists()


def test_the_limit_takes_the_first_of_the_order():
    videos = videos_of(range(50))
    splits = {video.key: "train" for video in videos}
    (whole,), (part,) = (
        plan_shards(videos, splits, JPEG, 256),
        plan_shards(videos, splits, JPEG, 256, limit=7),
    )
    assert part == dataclasses.replace(whole, videos=whole.videos[:7])
