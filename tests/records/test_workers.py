import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from deepfake_tfdata.clips.limits import MAX_WORKER_BYTES
from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.workers import process_in_order
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
    if video.video_id == "raise":
        raise ValueError("no good")
    if video.video_id == "huge":
        bytearray(MAX_WORKER_BYTES)
    time.sleep(0.2 if video.video_id == "slow" else 0)
    return ProcessedVideo({"full": [video.video_id]})


@pytest.mark.parametrize("workers", [1, 3])
def test_one_bad_video_costs_one_video(workers):
    names = ["slow", "a", "crash", "b", "raise", "hang", "c", "torn", "huge", "d"]
    outcomes = list(process_in_order(videos(*names), work, workers, time_limit=3))
    assert [video.video_id for video, _ in outcomes] == names
    statuses = [outcome.status for _, outcome in outcomes]
    expected = ["ok", "ok", "crashed", "ok", "failed", "timed_out", "ok", "crashed", "too_large", "ok"]
    assert statuses == expected
    assert outcomes[1][1].processed.clips == {"full": ["a"]}
    assert outcomes[4][1].reason == "ValueError: no good"
    assert "exit code -11" in outcomes[2][1].reason


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
