"""What TensorBoard shows of a run: one file of events, which a resumed run goes on with.

TensorFlow's own writer begins a file whenever it is opened, so the events are written with TensorBoard's.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from deepfake_tfdata.files import atomic_path
from deepfake_tfdata.reports import plots
from deepfake_tfdata.scoring.clip_scores import ClipScores

_LOG = logging.getLogger(__name__)
# The folder of a workdir.
TENSORBOARD = "tensorboard"
_VERSION = "brain.Event:2"
# A PNG file's header has width and height at these bytes.
_WIDTH, _HEIGHT = slice(16, 20), slice(20, 24)


@contextmanager
def profile(folder: Path, step: int, count: int) -> Iterator[None]:
    """Writes a profile of what the block does, which are some steps after a number of them."""
    with tf.profiler.experimental.Profile(str(folder)):
        yield
    _LOG.info("profile of steps %d to %d: %s", step + 1, step + count, folder)


class Summaries:
    """The events of a run.

    Args:
        folder: of the events; made with the first of them.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "events.out.tfevents.run"

    def add_epoch(self, metrics: dict[str, Any], scores: ClipScores) -> None:
        """Adds an epoch: its metrics as scalars, and pictures of the validation, clip by clip.

        Args:
            metrics: a line of metrics.jsonl.
            scores: of the validation.
        """
        values = [
            Summary.Value(tag=name, simple_value=value)
            for name, value in metrics.items()
            if name not in ("epoch", "step") and value is not None
        ]
        values += [_picture(name, png) for name, png in _pictures(scores).items()]
        event = Event(wall_time=time.time(), step=metrics["step"], summary=Summary(value=values))
        if not self._path.exists():
            self._replace([])
        with self._path.open("ab") as file:
            RecordWriter(file).write(event.SerializeToString())

    def forget_after(self, step: int) -> None:
        """Takes away what a run that is resumed at a step will write again, and a half-written end."""
        if self._path.exists():
            events = map(Event.FromString, _whole_records(self._path))
            self._replace(event for event in events if event.HasField("summary") and event.step <= step)

    def _replace(self, events: Iterable[Event]) -> None:
        with atomic_path(self._path) as temporary, temporary.open("wb") as file:
            writer = RecordWriter(file)
            for event in (Event(wall_time=time.time(), file_version=_VERSION), *events):
                writer.write(event.SerializeToString())


def _whole_records(path: Path) -> Iterator[bytes]:
    """The records of a file up to the first that is damaged or cut off, which TensorBoard would stop at."""
    yield from RawEventFileLoader(str(path)).Load()


def _picture(name: str, png: bytes) -> Summary.Value:
    width, height = (int.from_bytes(png[place], "big") for place in (_WIDTH, _HEIGHT))
    image = Summary.Image(width=width, height=height, colorspace=4, encoded_image_string=png)
    return Summary.Value(tag=name, image=image)


def _pictures(scores: ClipScores) -> dict[str, bytes]:
    """PNG files by name: curves where there are both classes, attention where the head has it."""
    pictures = {}
    if len(set(scores.labels.tolist())) == 2:
        pictures["validation/curves"] = plots.ranking_curves(scores.labels, scores.logits).png
    if scores.attention_over_frames is not None:
        attention = plots.attention_over_time(scores.labels, scores.attention_over_frames).png
        pictures["validation/attention"] = attention
    return pictures
