import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from contextlib import closing, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from deepfake_tfdata.clips.limits import MAX_CLIPS_BYTES, MAX_WORKER_BYTES, time_limit
from deepfake_tfdata.clips.processed import FaceStatistics, ProcessedVideo
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records import worker_pool
from deepfake_tfdata.records.worker import Worker, seconds_allowed
from deepfake_tfdata.records.worker_pool import process_in_order
from deepfake_tfdata.storage import as_path

MEGABYTE = 1 << 20
LARGE = 20  # megabytes


def videos(*names):
    return [Video("", name, 0, "original", name) for name in names]


def tear(video):
    """Dies in the middle of an answer."""
    Connection._send = send_half


def send_half(connection, content):
    os.write(connection.fileno(), bytes(content)[: len(content) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt(video):
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)


def refuse(video):
    raise ValueError("no good")


def processed(*clips):
    return ProcessedVideo({"full": list(clips)}, FaceStatistics(7))


# What a video's name says; runs in the workers. Any other name is its own clip.
ACTIONS = {
    "slow": lambda video: time.sleep(0.2),
    "slower": lambda video: time.sleep(2),
    "hang": lambda video: time.sleep(3600),
    "crash": lambda video: os.kill(os.getpid(), signal.SIGSEGV),
    "torn": tear,
    "exit": lambda video: os._exit(0),
    "signalled": interrupt,
    "raise": refuse,
    "huge": lambda video: bytearray(MAX_WORKER_BYTES) and None,
    "many": lambda video: processed(*[bytes(MEGABYTE)] * (3 << 10)),
    "twice": lambda video: processed(bytes(MAX_CLIPS_BYTES - MEGABYTE)),
    "large": lambda video: processed(*(bytes(MEGABYTE) for _ in range(LARGE))),
    "no pickle": lambda video: processed(lambda: None),
    "pid": lambda video: processed(os.getpid()),
    "path": lambda video: processed(f"{video.path} holds {Path(video.path).read_bytes()}"),
}


def work(video):
    return ACTIONS.get(video.video_id, lambda video: None)(video) or processed(video.video_id)


def test_a_worker_that_ended_while_it_had_nothing_to_do_costs_no_video():
    with closing(Worker(work)) as worker:
        (child,) = multiprocessing.active_children()
        child.kill()
        child.join()
        assert not worker.alive
        assert worker.process(*videos("a")).status == "ok"
        assert worker.alive
    assert not worker.alive


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_one_bad_video_costs_one_video(workers):
    names = ["slow", "signalled", "crash", "b", "raise", "hang", "c", "torn", "huge", "d"]
    outcomes = list(process_in_order(videos(*names), work, workers, allowed=lambda _: 3))
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
    outcomes = list(process_in_order(videos(*names), work, 3))
    assert [video.video_id for video, _ in outcomes] == names
    assert [outcome.status for _, outcome in outcomes] == [expected.get(name, "ok") for name in names]
    assert all(
        outcome.processed.clips == {"full": [video.video_id]}
        for video, outcome in outcomes
        if outcome.status == "ok"
    )
    assert multiprocessing.active_children() == []


def test_clips_that_are_too_large_cost_one_video_and_no_worker():
    names = ["pid", "many", "no pickle", "pid"]
    outcomes = [outcome for _, outcome in process_in_order(videos(*names), work, 1)]
    assert [outcome.status for outcome in outcomes] == ["ok", "too_large", "failed", "ok"]
    assert outcomes[1].reason == "its clips take 3072 MiB, more than 1024"
    assert outcomes[1].processed == ProcessedVideo(faces=FaceStatistics(7))
    assert outcomes[0].processed == outcomes[3].processed


def test_clips_for_which_there_is_no_memory_here_cost_one_video():
    def admit(num_bytes):
        raise MemoryError

    with closing(Worker(work)) as worker:
        (video,) = videos("a")
        assert worker.process(video, admit).status == "too_large"
        assert worker.process(video).processed == processed("a")


@pytest.mark.slow
def test_clips_as_large_as_allowed_arrive_though_the_worker_has_no_memory_for_two_of_them():
    ((_, outcome),) = process_in_order(videos("twice"), work, 1)
    assert outcome.status == "ok"
    assert len(outcome.processed.clips["full"][0]) == MAX_CLIPS_BYTES - MEGABYTE


def test_what_waits_for_its_turn_is_bounded_in_bytes():
    names = ["slower", *["large"] * 7, "a"]
    tracemalloc.start()
    try:
        with closing(process_in_order(videos(*names), work, 2, waiting_bytes=50 * MEGABYTE)) as outcomes:
            done = [next(outcomes)[1].status]
            _, waiting = tracemalloc.get_traced_memory()
            for _, outcome in outcomes:
                done.append(outcome.status)
    finally:
        tracemalloc.stop()
    assert done == ["ok"] * 9
    assert LARGE * MEGABYTE < waiting < 60 * MEGABYTE


def test_an_outcome_that_is_larger_than_all_room_passes():
    outcomes = process_in_order(videos("large", "large", "a", "large"), work, 2, waiting_bytes=1000)
    assert [outcome.status for _, outcome in outcomes] == ["ok"] * 4


def test_a_video_may_take_as_long_as_its_file_is_large(tmp_path):
    clip, film = tmp_path / "clip.mp4", tmp_path / "film.mp4"
    for path, size in ((clip, 10**6), (film, 4 * 10**9)):
        with path.open("wb") as file:
            file.truncate(size)
    original = Video(str(clip), "a", 0, "original", "a")
    assert seconds_allowed(original) == 124
    assert seconds_allowed(replace(original, path=str(film))) == 16_120
    assert seconds_allowed(replace(original, original=original)) == 128
    assert seconds_allowed(replace(original, path="gone")) == 120
    assert seconds_allowed(replace(original, path=str(tmp_path))) == 16_124  # a folder of frames
    assert time_limit(10**15) == 6 * 3600


def by_size(video):
    return 0.5 * Path(video.path).stat().st_size


def test_a_worker_is_killed_by_the_time_that_its_own_video_may_take(tmp_path):
    (tmp_path / "short").write_bytes(b"x")
    (tmp_path / "long").write_bytes(bytes(100))
    short, long = (replace(video, path=str(tmp_path / video.video_id)) for video in videos("short", "long"))
    late = [replace(video, video_id="slower") for video in (short, long)]
    outcomes = [outcome for _, outcome in process_in_order(late, work, 1, by_size)]
    assert [outcome.status for outcome in outcomes] == ["timed_out", "ok"]
    assert outcomes[0].reason == "it took more than 0.5 seconds"


def test_a_video_that_is_interrupted_or_not_wanted_is_ended_at_once_and_costs_itself_only():
    hanging, other = videos("hang", "a")
    with closing(Worker(work)) as worker:
        assert worker.process(hanging, wanted=lambda: False).status == "crashed"
        assert worker.process(other).status == "ok"
        threading.Timer(0.5, worker.interrupt).start()
        assert worker.process(hanging).status == "crashed"
        assert worker.process(other).status == "ok"
        for _ in range(5):
            worker.interrupt()  # too late: it has nothing to do
            assert worker.process(other).status == "ok"


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
        "from deepfake_tfdata.records.worker import Worker; "
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
    outcomes = process_in_order(videos("a", "b"), work, 1)
    assert [outcome.status for _, outcome in outcomes] == ["ok", "ok"]


def test_no_videos_are_no_problem():
    assert list(process_in_order([], work, 2)) == []


def test_a_remote_video_is_downloaded_for_the_worker_and_one_that_is_gone_accounted_for():
    there, gone = (
        Video(f"ram://test_workers/{name}.mp4", name, 0, "original", name) for name in ("path", "gone")
    )
    as_path(there.path).write_bytes(b"frames")
    outcomes = [outcome for _, outcome in process_in_order([there, gone], work, 1)]
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
