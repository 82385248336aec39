import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from deepfake_tfdata.clips.limits import MAX_WORKER_BYTES
from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records import worker_pool
from deepfake_tfdata.records.worker_pool import process_in_order
from deepfake_tfdata.storage import as_path


def videos(*names):
    return [Video("", name, 0, "original", name) for name in names]


def send_half(connection, content):
    """Dies in the middle of an answer."""
    os.write(connection.fileno(), bytes(content)[: len(content) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def work(video):
    """What a video's name says; runs in the workers."""
    if video.video_id == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if video.video_id == "torn":
        Connection._send = send_half
    if video.video_id == "path":
        return ProcessedVideo({"full": [f"{video.path} holds {Path(video.path).read_bytes()}"]})
    if video.video_id == "hang":
        time.sleep(3600)
    if video.video_id == "exit":
        os._exit(0)
    if video.video_id == "signalled":
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    if video.video_id == "raise":
        raise ValueError("no good")
    if video.video_id == "huge":
        bytearray(MAX_WORKER_BYTES)
    time.sleep(0.2 if video.video_id == "slow" else 0)
    return ProcessedVideo({"full": [video.video_id]})


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_one_bad_video_costs_one_video(workers):
    names = ["slow", "signalled", "crash", "b", "raise", "hang", "c", "torn", "huge", "d"]
    outcomes = list(process_in_order(videos(*names), work, workers, time_limit=3))
    assert [video.video_id for video, _ in outcomes] == names
    statuses = [outcome.status for _, outcome in outcomes]
    expected = ["ok", "ok", "crashed", "ok", "failed", "timed_out", "ok", "crashed", "too_large", "ok"]
    assert statuses == expected
    assert outcomes[1][1].processed.clips == {"full": ["signalled"]}
    assert outcomes[4][1].reason == "ValueError: no good"
    assert "exit code -11" in outcomes[2][1].reason


@pytest.mark.slow
def test_crashes_at_random_cost_themselves_only_and_leave_no_process():
    chance = random.Random(0)
    expected = {"crash": "crashed", "torn": "crashed", "exit": "crashed", "raise": "failed"}
    names = [chance.choice(list(expected) if chance.random() < 0.1 else ["a", "b", "c"]) for _ in range(200)]
    outcomes = list(process_in_order(videos(*names), work, 3, time_limit=60))
    assert [video.video_id for video, _ in outcomes] == names
    assert [outcome.status for _, outcome in outcomes] == [expected.get(name, "ok") for name in names]
    assert all(
        outcome.processed.clips == {"full": [video.video_id]}
        for video, outcome in outcomes
        if outcome.status == "ok"
    )
    assert multiprocessing.active_children() == []


def test_closed_in_the_middle_of_videos_it_ends_at_once_and_leaves_no_process():
    outcomes = process_in_order(videos("a", "hang", "hang", "b"), work, 2)
    with closing(outcomes):
        assert next(outcomes)[1].status == "ok"
        time.sleep(0.5)
        start = time.monotonic()
    assert time.monotonic() - start < 5
    assert multiprocessing.active_children() == []


def test_a_worker_that_nobody_closes_does_not_hold_up_the_exit():
    code = (
        "from tests.records.test_worker_pool import videos, work; "
        "from deepfake_tfdata.records.worker_pool import Worker; "
        "worker = Worker(work); print(worker.process(*videos('a')).status)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "ok\n"), result.stderr


def test_it_looks_only_so_far_ahead():
    taken = []

    class Watched(list):
        def __iter__(self):
            return (taken.append(video) or video for video in list.__iter__(self))

    with closing(process_in_order(Watched(videos(*"abcdefghijklmnop")), work, 2)) as outcomes:
        next(outcomes)
        assert len(taken) == 8


def test_a_video_is_downloaded_while_another_is_at_work(monkeypatch):
    both = threading.Barrier(2, timeout=60)

    @contextmanager
    def download(path):
        both.wait()
        yield path

    monkeypatch.setattr(worker_pool, "local_copy", download)
    outcomes = process_in_order(videos("a", "b"), work, 1, time_limit=60)
    assert [outcome.status for _, outcome in outcomes] == ["ok", "ok"]


def test_no_videos_are_no_problem():
    assert list(process_in_order([], work, 2, time_limit=1)) == []


def test_a_remote_video_is_downloaded_for_the_worker_and_one_that_is_gone_accounted_for():
    there, gone = (
        Video(f"ram://test_workers/{name}.mp4", name, 0, "original", name) for name in ("path", "gone")
    )
    as_path(there.path).write_bytes(b"frames")
    outcomes = [outcome for _, outcome in process_in_order([there, gone], work, 1, time_limit=60)]
    assert [outcome.status for outcome in outcomes] == ["ok", "unreachable"]
    (local,) = outcomes[0].processed.clips["full"]
    assert local.endswith("/path.mp4 holds b'frames'")
    assert "ram://test_workers/gone.mp4" in outcomes[1].reason


def test_a_remote_mask_is_downloaded_with_its_video():
    for name in ("video", "mask"):
        as_path(f"ram://test_masks/{name}.mp4").write_bytes(name.encode())
    read = []

    def process(video):
        read.extend(Path(path).read_bytes() for path in (video.path, video.mask_path))

    worker_pool.attempt(
        Video("ram://test_masks/video.mp4", "a", 1, "fake", "a", mask_path="ram://test_masks/mask.mp4"),
        process,
    )
    assert read == [b"video", b"mask"]
