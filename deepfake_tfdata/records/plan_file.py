"""The plan as a file for other machines: JSON lines, so that reading one from a shared place runs no code."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.files import write_text
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.storage import AnyPath

ShardKey = tuple[str, int, int]  # split, index, count


def write_plan(path: AnyPath, shards: Iterable[ShardPlan]) -> None:
    """Writes a line a video, with its place."""
    lines = (
        json.dumps([[shard.split, shard.index, shard.count], position, asdict(video)])
        for shard in shards
        for position, video in enumerate(shard.videos)
    )
    write_text(path, "".join(f"{line}\n" for line in lines))


def read_plan(path: AnyPath) -> Iterator[tuple[ShardKey, int, Video]]:
    """Every video with its shard and its position there, in the plan's order."""
    for line in path.read_text(encoding="utf-8").splitlines():
        (split, index, count), position, values = json.loads(line)
        yield (split, index, count), position, _video(values)


def _video(values: dict[str, Any]) -> Video:
    """A video of its fields: plain values, tuples of them, and other videos."""
    return Video(**{name: _field(value) for name, value in values.items()})


def _field(value: Any) -> Any:
    if isinstance(value, dict):
        return _video(value)
    return tuple(value) if isinstance(value, list) else value
