"""Videos worked on in parallel and handed over in their order, with a bound on what waits for its turn."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from queue import SimpleQueue

from deepfake_tfdata.background import fulfil, in_background
from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.outcome import Outcome
from deepfake_tfdata.records.worker import Work, Worker, seconds_allowed
from deepfake_tfdata.storage import UnreachableError, local_copy

# Finished videos may wait for an earlier one: so many a worker, and so many bytes of all, which are fifty
# videos of three native regions.
_LOOKAHEAD = 4
MAX_WAITING_BYTES = 512 << 20
# For threads to delete what they downloaded; one whose download hangs is left to itself.
_SECONDS_TO_END = 5


def process_in_order(
    videos: Sequence[Video],
    work: Work,
    workers: int,
    allowed: Callable[[Video], float] = seconds_allowed,
    waiting_bytes: int = MAX_WAITING_BYTES,
) -> Generator[tuple[Video, Outcome], None, None]:
    """Processes videos in parallel and yields them in their order.

    Args:
        videos: what to process; one on object storage is downloaded first, and its copy deleted after.
        work: from a video to its clips; picklable, run in worker processes.
        workers: how many processes.
        allowed: seconds that a video may take before its worker is killed.
        waiting_bytes: of outcomes in this process. The next to be yielded is taken in any case; others stay
            in their workers, which wait.
    """
    room = _Room(waiting_bytes)
    downloads = _Downloads(2 * workers)
    pool = [Worker(work, allowed) for _ in range(min(workers, len(videos)))]
    threads = [in_background(_keep_busy, worker, downloads, room) for worker in pool]
    pending: deque[_Task] = deque()

    def first() -> Iterator[tuple[Video, Outcome]]:
        task = pending.popleft()
        yield task.video, task.outcome.result()
        room.leave(task.position)

    try:
        for position, video in enumerate(videos):
            pending.append(_Task(position, video))
            downloads.add(pending[-1])
            if len(pending) >= _LOOKAHEAD * workers:
                yield from first()
        while pending:
            yield from first()
    finally:
        room.close()
        downloads.close(len(pool))
        for worker in pool:
            worker.close()
        wait(threads, _SECONDS_TO_END)


def attempt(video: Video, process: Callable[[Video], Outcome]) -> Outcome:
    """Processes a video once it is on this machine."""
    with ExitStack() as files:
        return _process(lambda: files.enter_context(_local(video)), process)


@dataclass
class _Task:
    """A video on its way through the pool.

    Attributes:
        position: in order.
        video: to process.
        outcome: what became of it.
        files: deletes its copy.
        copy: the video with the paths of local files.
    """

    position: int
    video: Video
    outcome: Future[Outcome] = field(default_factory=Future)
    files: ExitStack = field(default_factory=ExitStack)
    copy: Future[Video] = field(default_factory=Future)

    def download(self) -> None:
        """Begins to bring the video to this machine."""
        self.copy = in_background(self.files.enter_context, _local(self.video))

    def run(self, worker: Worker, room: "_Room") -> Outcome:
        """Works on the video once it is here."""
        with self.files:
            return _process(self.copy.result, lambda copy: worker.process(copy, self._enter(room)))

    def _enter(self, room: "_Room") -> Callable[[int], None]:
        return lambda num_bytes: room.enter(self.position, num_bytes)


class _Room:
    """Room for outcomes that wait for earlier ones. The first in order enters even where there is none.

    It never waits for a worker behind another that waits for room: workers take videos in order.
    """

    def __init__(self, num_bytes: int) -> None:
        self._limit = num_bytes
        self._held: dict[int, int] = {}  # bytes by position
        self._first = 0
        self._closed = False
        self._changed = threading.Condition()

    def enter(self, position: int, num_bytes: int) -> None:
        """Waits until there is room."""
        with self._changed:
            self._changed.wait_for(lambda: self._admits(position, num_bytes))
            self._held[position] = num_bytes

    def leave(self, position: int) -> None:
        """The first in order is gone."""
        with self._changed:
            self._held.pop(position, None)  # without one that never came
            self._first = position + 1
            self._changed.notify_all()

    def close(self) -> None:
        """Lets nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _admits(self, position: int, num_bytes: int) -> bool:
        return self._closed or position == self._first or sum(self._held.values()) + num_bytes <= self._limit


class _Downloads:
    """Brings videos to this machine in their order, while workers are at earlier ones.

    Args:
        copies: how many there may be, those in work included.

    Attributes:
        begun: the videos on their way, in order; None ends who takes them.
    """

    def __init__(self, copies: int) -> None:
        self.begun: SimpleQueue[_Task | None] = SimpleQueue()
        self._free = copies
        self._waiting: deque[_Task] = deque()
        self._changing = threading.Lock()

    def add(self, task: _Task) -> None:
        """One more video; its download begins when there may be one more copy."""
        with self._changing:
            self._waiting.append(task)
            self._begin()

    def deleted(self) -> None:
        """There is one copy less."""
        with self._changing:
            self._free += 1
            self._begin()

    def close(self, takers: int) -> None:
        """Begins no more."""
        with self._changing:
            self._waiting.clear()
        for _ in range(takers):
            self.begun.put(None)

    def _begin(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            task = self._waiting.popleft()
            task.download()
            self.begun.put(task)


def _keep_busy(worker: Worker, downloads: _Downloads, room: _Room) -> None:
    """A worker's thread: gives it one video after another."""
    for task in iter(downloads.begun.get, None):
        fulfil(task.outcome, task.run, worker, room)
        downloads.deleted()


def _process(copy: Callable[[], Video], process: Callable[[Video], Outcome]) -> Outcome:
    try:
        return process(copy())
    except UnreachableError as error:
        return Outcome(ProcessedVideo(), "unreachable", str(error), 0.0)


@contextmanager
def _local(video: Video) -> Iterator[Video]:
    """The video, its mask, and the original that it shares a track with, with paths of local files."""
    with ExitStack() as stack:
        original = video.original and stack.enter_context(_local(video.original))
        mask_path = video.mask_path and stack.enter_context(local_copy(video.mask_path))
        path = stack.enter_context(local_copy(video.path))
        yield replace(video, path=path, mask_path=mask_path, original=original)
