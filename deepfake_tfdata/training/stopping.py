"""Ending long passes over data when a run is asked to stop."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np

from deepfake_tfdata.training.workers import Workers

_Batch = TypeVar("_Batch")


class StopRequested(Exception):
    """A pass was left unfinished, in all workers alike."""


def until_stopped(
    batches: Iterable[_Batch], should_stop: Callable[[], bool], workers: Workers
) -> Iterator[_Batch]:
    """Gives a worker's batches, and asks before each whether any worker should stop.

    Args:
        batches: of this worker; the others may have more or fewer.
        should_stop: asked in this worker.
        workers: each goes through its batches at once with the others, to the end.

    Raises:
        StopRequested: one of them should.
    """
    rest = iter(batches)
    while True:
        asked = should_stop()
        batch = None if asked else next(rest, None)
        stopping, working = workers.sum(np.array([asked, batch is not None], np.float32))
        if stopping:
            raise StopRequested
        if not working:
            return
        if batch is not None:
            yield batch
