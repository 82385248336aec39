"""Who is next: uploaded videos in their order, decoded by a few workers, and their verdicts for a while."""

import logging
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from deepfake_tfdata.background import in_background
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.outcome import Outcome
from deepfake_tfdata.records.worker import Worker, seconds_allowed
from deepfake_tfdata.serving.job import LOOKING, SCORING, Job, JobFailed, Result
from deepfake_tfdata.serving.options import ServingOptions
from deepfake_tfdata.serving.uploads import Upload
from deepfake_tfdata.verdicts.exhibit import Exhibit
from deepfake_tfdata.verdicts.judge import Judge
from deepfake_tfdata.verdicts.verdict import Verdict
from deepfake_tfdata.verdicts.videos import unlabelled_video
from deepfake_tfdata.verdicts.work import ExaminedVideo

# Of pages in memory; the oldest are forgotten before their time.
_MAX_KEPT_BYTES = 256 << 20
# Of a video, before any was seen.
_FIRST_GUESS = 10.0
_SECONDS_TO_END = 5
# Of one that waits for others to be scored, at whether it is still wanted.
_SECONDS_BETWEEN_LOOKS = 0.2

Render = Callable[[Verdict, Exhibit], str]


class FullError(Exception):
    """Too many videos are here already.

    Attributes:
        seconds: after which a place may be free.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many videos are waiting; try again in {seconds} seconds")
        self.seconds = seconds


class _TooLongError(Exception):
    """Scoring took more than a video may take."""


class Board:
    """Takes videos, has each looked at in a worker process, and scores them here one at a time.

    Args:
        judge: makes the verdicts.
        render: makes their pages.
        options: how many at once, how long, how many wait.
    """

    def __init__(self, judge: Judge, render: Render, options: ServingOptions) -> None:
        self.judge, self._render, self._options = judge, render, options
        self._places = threading.BoundedSemaphore(options.workers + options.max_waiting)
        self._changed = threading.Condition()
        self._queue: deque[Job] = deque()
        self._jobs: dict[str, Job] = {}
        self._in_work: dict[Job, Worker] = {}
        self._recent: deque[float] = deque([_FIRST_GUESS], maxlen=8)
        self._scoring = threading.Lock()
        self._closed = False
        self._workers = [Worker(judge.work, self._allowed) for _ in range(options.workers)]
        self._threads = [in_background(self._keep_busy, worker) for worker in self._workers]

    def reserve(self) -> None:
        """Takes a place for a video that is to arrive; it must be submitted, or given up.

        Raises:
            FullError: there is none.
        """
        if not self._places.acquire(blocking=False):
            seconds = statistics.median(self._recent) * (len(self._queue) + 1) / len(self._workers)
            raise FullError(max(1, round(seconds)))

    def give_up(self) -> None:
        """The video of a reserved place does not come."""
        self._places.release()

    def submit(self, upload: Upload, with_page: bool) -> Job:
        """Puts a video that has a place behind the others."""
        job = Job(upload, with_page)
        with self._changed:
            self._jobs[job.id] = job
            if self._closed:
                self._end(job, _stopping())
            else:
                self._queue.append(job)
                self._changed.notify()
        return job

    def find(self, job_id: str) -> Job | None:
        """The job of that id, as long as it is remembered."""
        return self._jobs.get(job_id)

    def num_before(self, job: Job) -> int:
        """How many videos wait before it."""
        with self._changed:
            return self._queue.index(job) if job in self._queue else 0

    def forget(self, job: Job) -> None:
        """Nobody wants its verdict any more: whatever is done for it ends."""
        with self._changed:
            self._jobs.pop(job.id, None)
            if job in self._queue:
                self._queue.remove(job)
                self._end(job, _unwanted())
            elif job in self._in_work and job.progress == LOOKING:
                self._in_work[job].interrupt()

    def forget_old(self) -> None:
        """Forgets verdicts whose time is over, and the oldest of too many."""
        limit = time.monotonic() - 60 * self._options.keep_minutes
        with self._changed:
            ended = [job for job in self._jobs.values() if job.ended is not None]
            ended.sort(key=lambda job: job.ended or 0.0, reverse=True)
            kept_bytes = 0
            for job in ended:
                kept_bytes += 0 if job.result.exception() else len(job.result.result().page)
                if (job.ended or 0.0) < limit or kept_bytes > _MAX_KEPT_BYTES:
                    del self._jobs[job.id]

    def health(self) -> dict[str, Any]:
        """How it is doing, in numbers."""
        with self._changed:
            return {
                "workers": self._options.workers,
                "workers_alive": sum(worker.alive for worker in self._workers),
                "waiting": len(self._queue),
                "in_work": len(self._in_work),
                "max_waiting": self._options.max_waiting,
            }

    def close(self) -> None:
        """Ends the workers, and tells those who wait."""
        with self._changed:
            self._closed = True
            while self._queue:
                self._end(self._queue.popleft(), _stopping())
            self._changed.notify_all()
        for worker in self._workers:
            worker.close()
        wait(self._threads, _SECONDS_TO_END)

    def _allowed(self, video: Video) -> float:
        return min(seconds_allowed(video), self._options.max_seconds)

    def _keep_busy(self, worker: Worker) -> None:
        """A worker's thread: gives it one video after another."""
        end: Result | JobFailed
        while (job := self._next(worker)) is not None:
            start = time.monotonic()
            try:
                end = self._result(job, worker)
                self._recent.append(time.monotonic() - start)
            except JobFailed as failure:
                end = failure
            except Exception:
                logging.exception("no verdict on a video")
                end = JobFailed("the server could not judge the video; its log says why")
            with self._changed:
                self._end(job, _stopping() if self._closed else end)

    def _next(self, worker: Worker) -> Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            if self._closed:
                return None
            job = self._queue.popleft()
            job.progress, self._in_work[job] = LOOKING, worker
            return job

    def _result(self, job: Job, worker: Worker) -> Result:
        video = unlabelled_video(job.upload.path, job.upload.name)
        outcome = worker.process(video, wanted=lambda: self.find(job.id) is not None)
        with self._changed:
            job.progress = SCORING
        with self._turn(job):
            go_on = partial(self._go_on, job, time.monotonic() + self._options.max_seconds)
            try:
                verdict, exhibit = self.judge.conclude(video, outcome, job.upload.name, go_on)
            except _TooLongError as error:
                late = _not_scored(outcome, str(error))
                verdict, exhibit = self.judge.conclude(video, late, job.upload.name)
            return Result(verdict.to_dict(), self._render(verdict, exhibit) if job.with_page else "")

    @contextmanager
    def _turn(self, job: Job) -> Iterator[None]:
        """Waits until no other video is scored, as long as this one is wanted."""
        self._require_wanted(job)
        while not self._scoring.acquire(timeout=_SECONDS_BETWEEN_LOOKS):
            self._require_wanted(job)
        try:
            yield
        finally:
            self._scoring.release()

    def _go_on(self, job: Job, end: float) -> None:
        """Ends the scoring of a video that nobody waits for, or that takes too long."""
        self._require_wanted(job)
        if time.monotonic() > end:
            raise _TooLongError(f"scoring it takes more than --max_seconds={self._options.max_seconds}")

    def _require_wanted(self, job: Job) -> None:
        if self._closed:
            raise _stopping()
        if self.find(job.id) is None:
            raise _unwanted()

    def _end(self, job: Job, end: Result | JobFailed) -> None:
        """Deletes the video and frees its place; called once for every job."""
        job.upload.close()
        self._in_work.pop(job, None)
        self._places.release()
        job.ended = time.monotonic()
        if isinstance(end, Result):
            job.result.set_result(end)
        else:
            job.result.set_exception(end)


def _not_scored(outcome: Outcome, why: str) -> Outcome:
    """The same, as if nothing could be made of the video."""
    assert isinstance(outcome.processed, ExaminedVideo)
    examined = replace(outcome.processed, inspected=None, status="timed_out", reason=why)
    return replace(outcome, processed=examined)


def _unwanted() -> JobFailed:
    return JobFailed("nobody waits for it")


def _stopping() -> JobFailed:
    return JobFailed("the server is stopping", 503)
