"""Worker processes, one video each at a time: a decoder that crashes or hangs takes down one video only."""

import atexit
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue

from deepfake_tfdata.clips.limits import MAX_WORKER_BYTES
from deepfake_tfdata.clips.processed import FaceStatistics, ProcessedVideo
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.storage import UnreachableError, local_copy

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
    videos: Sequence[Video], work: Work, workers: int, time_limit: float = TIME_LIMIT_SECONDS
) -> Generator[tuple[Video, Outcome], None, None]:
    """Processes videos in parallel and yields them in their order.

    Args:
        videos: what to process; one on object storage is downloaded first, and its copy deleted after.
        work: from a video to its clips; picklable, run in worker processes.
        workers: how many processes.
        time_limit: seconds a video may take before its worker is killed.
    """
    idle: SimpleQueue[Worker] = SimpleQueue()
    pool = [Worker(work, time_limit) for _ in range(min(workers, len(videos)))]
    for worker in pool:
        idle.put(worker)

    def process(video: Video) -> Outcome:
        worker = idle.get()
        try:
            return worker.process(video)
        finally:
            idle.put(worker)

    # Twice as many threads as processes: while one waits for its worker, another downloads.
    threads = ThreadPoolExecutor(2 * workers)
    pending: deque[tuple[Video, Future[Outcome]]] = deque()
    try:
        for video in videos:
            pending.append((video, threads.submit(attempt, video, process)))
            if len(pending) >= _LOOKAHEAD * workers:
                first, outcome = pending.popleft()
                yield first, outcome.result()
        for first, outcome in pending:
            yield first, outcome.result()
    finally:
        for _, outcome in pending:
            outcome.cancel()
        for worker in pool:
            worker.close()
        threads.shutdown()


class Worker:
    """A process that works on one video at a time; made anew after a crash, and ended by close or at exit.

    Args:
        work: from a video to its clips; picklable.
        time_limit: seconds a video may take, from when the process has it.
    """

    def __init__(self, work: Work, time_limit: float = TIME_LIMIT_SECONDS) -> None:
        self._work = work
        self._time_limit = time_limit
        self._closed = False
        self._ending = threading.Lock()
        self._spawn()
        # At exit multiprocessing waits for its processes after a SIGTERM, which these ignore.
        atexit.register(self.close)

    def process(self, video: Video) -> Outcome:
        """The outcome of a video, whatever it does to the process."""
        start = time.monotonic()
        try:
            self._connection.send(video)
            self._connection.recv()  # it has begun: a new process takes a while to start
            if self._connection.poll(self._time_limit):
                outcome: Outcome = self._connection.recv()
                return outcome
            status, reason = "timed_out", f"it took more than {self._time_limit:g} seconds"
        except (EOFError, OSError):
            # The process is gone; OSError where it went in the middle of its answer.
            self._process.join()
            status, reason = "crashed", f"the decoder crashed (exit code {self._process.exitcode})"
        with self._ending:
            self._kill()
            if not self._closed:
                self._spawn()
        return Outcome(ProcessedVideo(), status, reason, time.monotonic() - start)

    def close(self) -> None:
        """Ends the process, at once, even in the middle of a video that another thread waits for."""
        with self._ending:
            self._closed = True
            atexit.unregister(self.close)
            self._process.kill()
            self._process.join()

    def _kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _spawn(self) -> None:
        # Spawned, not forked: TensorFlow's threads in this process do not survive a fork.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        self._process.start()
        theirs.close()


def attempt(video: Video, process: Callable[[Video], Outcome]) -> Outcome:
    """Processes a video once it is on this machine."""
    try:
        with _local(video) as copy:
            return process(copy)
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


def _serve(connection: Connection, work: Work) -> None:
    """A worker's life: receive a video, say so, answer with its outcome, until the other end is gone."""
    # Ctrl-C and a service manager signal the whole group. The parent decides: a worker that ended by itself
    # would look like a crashed decoder.
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit_memory()
    with suppress(EOFError, ConnectionError):
        while True:
            video = connection.recv()
            connection.send(None)
            connection.send(_work_on(work, video))


def _limit_memory() -> None:
    """Refuses memory to a decoder that a forged file makes ask for any amount of it."""
    with suppress(ImportError):  # Windows has no such limit
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = MAX_WORKER_BYTES if hard == resource.RLIM_INFINITY else min(MAX_WORKER_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, even in the middle of a video."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _work_on(work: Work, video: Video) -> Outcome:
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
