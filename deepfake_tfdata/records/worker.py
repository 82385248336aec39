"""A worker process, one video at a time: a decoder that crashes or hangs takes down one video only."""

import atexit
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path

from deepfake_tfdata.clips.limits import MAX_CLIPS_BYTES, MAX_WORKER_BYTES, time_limit
from deepfake_tfdata.clips.processed import FaceStatistics, ProcessedVideo
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.outcome import Outcome, PackedOutcome, receive

Work = Callable[[Video], ProcessedVideo]


def seconds_allowed(video: Video) -> float:
    """Seconds for a video, by the size of its file and of the original that it shares a track with."""
    videos = [video, *([video.original] if video.original else [])]
    return time_limit(sum(_size(Path(each.path)) for each in videos))


def _size(path: Path) -> int:
    """Bytes of a file, or of the files in a folder of frames; 0 where the work will find out why."""
    try:
        files = list(path.iterdir()) if path.is_dir() else [path]
        return sum(file.stat().st_size for file in files)
    except OSError:
        return 0


class Worker:
    """A process that works on one video at a time; made anew after a crash, and ended by close or at exit.

    Args:
        work: from a video to its clips; picklable.
        allowed: seconds that a video may take, from when the process has it.
    """

    def __init__(self, work: Work, allowed: Callable[[Video], float] = seconds_allowed) -> None:
        self._work = work
        self._allowed = allowed
        self._closed = False
        self._ending = threading.Lock()
        self._spawn()
        # At exit multiprocessing waits for its processes after a SIGTERM, which these ignore.
        atexit.register(self.close)

    def process(
        self,
        video: Video,
        admit: Callable[[int], None] = lambda num_bytes: None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Outcome:
        """The outcome of a video, whatever it does to the process.

        Args:
            video: with the path of a local file.
            admit: called with the outcome's size before this process takes it; it may block.
            wanted: whether anybody still waits for it; asked once the process has begun, from when on
                `interrupt` ends it.
        """
        start, seconds = time.monotonic(), round(self._allowed(video), 1)
        self._replace_dead()
        try:
            self._connection.send(video)
            self._connection.recv()  # it has begun: a new process takes a while to start
            if not wanted():
                self.interrupt()
            if self._connection.poll(seconds):
                return receive(self._connection, admit)
            status, reason = "timed_out", f"it took more than {seconds:g} seconds"
        except MemoryError:
            status, reason = "too_large", "there is no memory left for its clips"
        except (EOFError, OSError):
            # The process is gone; OSError where it went in the middle of its answer.
            self._process.join()
            status, reason = "crashed", f"the decoder crashed (exit code {self._process.exitcode})"
        self._replace()
        return Outcome(ProcessedVideo(), status, reason, time.monotonic() - start)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    def interrupt(self) -> None:
        """Ends what it works on, which another thread waits for: that has 'crashed'."""
        with self._ending:
            self._interrupted = True
            self._process.kill()

    def close(self) -> None:
        """Ends the process, at once, even in the middle of a video that another thread waits for."""
        with self._ending:
            self._closed = True
            atexit.unregister(self.close)
            self._process.kill()
            self._process.join()

    def _replace_dead(self) -> None:
        """A process that ended while it had nothing to do, such as one out of luck when memory ran out or one
        that was interrupted too late, is no fault of the next video's.
        """
        if self._interrupted or not self.alive:  # one that was killed is alive for a while
            self._replace()

    def _replace(self) -> None:
        with self._ending:
            self._kill()
            if not self._closed:
                self._spawn()

    def _kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _spawn(self) -> None:
        # Spawned, not forked: TensorFlow's threads in this process do not survive a fork.
        self._interrupted = False
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        self._process.start()
        theirs.close()


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
            _work_on(work, video).send(connection)


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


def _work_on(work: Work, video: Video) -> PackedOutcome:
    start = time.monotonic()
    faces = FaceStatistics()
    try:
        processed = work(video)
        faces = processed.faces
        packed = PackedOutcome.of(Outcome(processed, "ok", "", time.monotonic() - start))
        if packed.num_bytes <= MAX_CLIPS_BYTES:
            return packed
        status = "too_large"
        reason = f"its clips take {packed.num_bytes >> 20} MiB, more than {MAX_CLIPS_BYTES >> 20}"
    except MemoryError:
        status = "too_large"
        reason = f"it takes more than {MAX_WORKER_BYTES >> 20} MiB of memory"
    except Exception as error:
        # Whatever a video does to the code, the run goes on, and the ledger has the reason.
        faces = getattr(error, "faces", faces)
        status = getattr(error, "status", "failed")
        reason = getattr(error, "reason", f"{type(error).__name__}: {error}")
    return PackedOutcome.of(Outcome(ProcessedVideo(faces=faces), status, reason, time.monotonic() - start))
