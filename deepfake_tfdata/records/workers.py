"""Worker processes, one video each at a time: a decoder that crashes or hangs takes down one video only."""

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

from deepfake_tfdata.clips.limits import MAX_WORKER_BYTES
from deepfake_tfdata.clips.processed import FaceStatistics, ProcessedVideo
from deepfake_tfdata.clips.video import Video

Work = Callable[[Video], ProcessedVideo]
# Ten minutes of 1080p decode in less; what takes longer hangs.
TIME_LIMIT_SECONDS = 600.0
# Finished videos may wait for an earlier one; this many a worker are held in memory at most.
_LOOKAHEAD = 4


@dataclass(frozen=True)
class Outcome:
    """What became of one video.

    Attributes:
        processed: its clips, none when the video can't be used, and how its face was followed.
        status, reason: as in the ledger.
        seconds: of work.
    """

    processed: ProcessedVideo
    status: str
    reason: str
    seconds: float


def process_in_order(
    videos: Iterable[Video], work: Work, workers: int, time_limit: float = TIME_LIMIT_SECONDS
) -> Iterator[tuple[Video, Outcome]]:
    """Processes videos in parallel and yields them in their order.

    Args:
        videos: what to process.
        work: from a video to its clips; picklable, run in worker processes.
        workers: how many processes.
        time_limit: seconds a video may take before its worker is killed.
    """
    waiting = deque(enumerate(videos))
    pool = [_Worker(work) for _ in range(min(workers, len(waiting)))]
    held: dict[int, tuple[Video, Outcome]] = {}
    next_index = 0
    try:
        while waiting or held or any(worker.task for worker in pool):
            for worker in pool:
                if not worker.task and waiting and waiting[0][0] < next_index + _LOOKAHEAD * workers:
                    worker.start(*waiting.popleft())
            for worker in _finished(pool, time_limit):
                index, video, outcome = worker.collect(time_limit)
                held[index] = video, outcome
            while next_index in held:
                yield held.pop(next_index)
                next_index += 1
    finally:
        for worker in pool:
            worker.kill()


def _finished(pool: list["_Worker"], time_limit: float) -> list["_Worker"]:
    """Waits until a worker has answered, died or run out of time."""
    busy = {worker.connection: worker for worker in pool if worker.task}
    if not busy:
        return []
    patience = min(worker.started for worker in busy.values()) + time_limit - time.monotonic()
    ready = [busy[connection] for connection in wait(list(busy), timeout=max(patience, 0))]
    return ready or [w for w in busy.values() if time.monotonic() - w.started >= time_limit]


class _Worker:
    """A process and the pipe to it; made anew after a crash."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.task: tuple[int, Video] | None = None
        self.started = 0.0
        self._spawn()

    def start(self, index: int, video: Video) -> None:
        self.task = index, video
        self.started = time.monotonic()
        # A worker that died before it was asked is noticed when it is collected.
        with suppress(ConnectionError):
            self.connection.send(video)

    def collect(self, time_limit: float) -> tuple[int, Video, Outcome]:
        """The outcome of the task; a worker that gave none is replaced."""
        index, video = self.task
        self.task = None
        try:
            if self.connection.poll():
                return index, video, self.connection.recv()
            outcome = Outcome(
                ProcessedVideo(), "timed_out", f"it took more than {time_limit:g} seconds", time_limit
            )
        except (EOFError, OSError):
            # OSError: it died in the middle of its answer.
            self._process.join()
            reason = f"the decoder crashed (exit code {self._process.exitcode})"
            outcome = Outcome(ProcessedVideo(), "crashed", reason, time.monotonic() - self.started)
        self.kill()
        self._spawn()
        return index, video, outcome

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()

    def _spawn(self) -> None:
        # Spawned, not forked: TensorFlow's threads in this process do not survive a fork.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        self._process.start()
        theirs.close()


def _serve(connection: Connection, work: Work) -> None:
    """A worker's life: receive a video, answer with its outcome, until the other end is gone."""
    # Ctrl-C and a service manager signal the whole group. The parent decides: a worker that ended by itself
    # would look like a crashed decoder.
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit_memory()
    with suppress(EOFError, ConnectionError):
        while True:
            connection.send(_attempt(work, connection.recv()))


def _limit_memory() -> None:
    """Refuses memory to a decoder that a forged file makes ask for any amount of it."""
    with suppress(ImportError):  # Windows has no such limit
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = MAX_WORKER_BYTES if hard == resource.RLIM_INFINITY else min(MAX_WORKER_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, even in the middle of a video."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _attempt(work: Work, video: Video) -> Outcome:
    start = time.monotonic()
    status, reason = "ok", ""
    try:
        processed = work(video)
    except MemoryError:
        processed = ProcessedVideo()
        status = "too_large"
        reason = f"it takes more than {MAX_WORKER_BYTES >> 20} MiB of memory"
    except Exception as error:
        # Whatever a video does to the code, the run goes on, and the ledger has the reason.
        processed = ProcessedVideo(faces=getattr(error, "faces", FaceStatistics()))
        status = getattr(error, "status", "failed")
        reason = getattr(error, "reason", f"{type(error).__name__}: {error}")
    return Outcome(processed, status, reason, time.monotonic() - start)
