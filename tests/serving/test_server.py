"""A server as a process of its own: honest clients, broken ones, many at once, and kills in the middle."""

import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

from tests.fakes import face_frames, write_video
from tests.serving.client import Server, form, is_gone, serving, until
from tests.serving.made_server import CRASHES, HANGS, TAKES_A_WHILE

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at processes in /proc")
WORKERS, WAITING, SECONDS = 2, 4, 4
LIMITS = (
    f"--workers={WORKERS}",
    f"--max_waiting={WAITING}",
    f"--max_seconds={SECONDS}",
    "--max_upload_mib=1",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(*LIMITS, folder=tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory) -> bytes:
    """A real video of a photographed face."""
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4", face_frames(8, 96)).read_bytes()


def verdict_on(server: Server, content: bytes, **options: str) -> dict:
    answer = server.post("/predict", content, **options)
    assert answer.status == 200, answer.body
    assert answer.json["sha256"] == sha256(content).hexdigest()
    return answer.json


def test_a_video_gets_its_verdict_and_leaves_nothing(server, astronaut):
    verdict = verdict_on(server, astronaut, name="C:\\films\\clip.mp4")
    assert verdict["verdict"] == "evidence_of_manipulation"
    assert verdict["file"]["name"] == "clip.mp4"
    assert "/proc" not in str(verdict)
    assert not [*server.folder.iterdir()]
    assert (server.health()["waiting"], server.health()["in_work"]) == (0, 0)


def test_what_is_no_video_is_an_abstention_with_its_reason(server, astronaut):
    for content, reason in (
        (b"", "the file is empty"),
        (b"not a film\n" * 9, "no video can be recognised in it"),
        (astronaut[: len(astronaut) // 2], "no video can be recognised in it"),
        (CRASHES, "the decoder crashed"),
    ):
        verdict = verdict_on(server, content)
        assert verdict["verdict"] == "abstained"
        assert reason in verdict["reasons"][0]


def test_a_request_that_is_no_upload_is_refused_in_one_line(server):
    whole, kind = form(("file", "clip.mp4", b"content"))
    for body, content_type, why in (
        (*form(("film", "clip.mp4", b"content")), "file 'file'"),
        (*form(("file", "a.mp4", b"a"), ("file", "b.mp4", b"b")), "Too many files"),
        (b"file=clip.mp4", "application/x-www-form-urlencoded", "file 'file'"),
        (b"", "text/plain", "file 'file'"),
        (whole, "multipart/form-data", "boundary"),
        (whole[:-20], kind, ""),
        (b"\0" * 100, kind, ""),
    ):
        answer = server.post_body("/predict", body, content_type)
        assert answer.status == 400, (body, answer)
        assert why in answer.error


def test_too_much_is_refused_before_all_of_it_is_there(server):
    # More than sockets hold: who refused and left would break the connection.
    answer = server.post("/predict", bytes(24 << 20))
    assert answer.status == 413 and "more than 1 MiB" in answer.error
    with server.begin("/predict", b"", 10, length=2 << 20) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
    # One that does not say how long it is, and does not end.
    with server.begin("/predict", bytes(4 << 20), 1_200_000, length=None) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
    assert not [*server.folder.iterdir()]


def test_clients_that_go_away_while_they_send_free_their_places(server):
    for _ in range(WORKERS + WAITING + 1):
        server.begin("/jobs", bytes(1 << 20), 600_000, length=1 << 20).close()
    until(lambda: server.post("/predict", TAKES_A_WHILE).status == 200)
    assert not [*server.folder.iterdir()]


def test_of_ten_at_once_each_gets_its_own_verdict_or_is_told_to_come_back(server):
    contents = [TAKES_A_WHILE + bytes([number]) for number in range(10)]
    together = threading.Barrier(len(contents))

    def ask(content: bytes):
        together.wait()
        return server.post("/predict", content, name=f"{content[-1]}.mp4")

    with ThreadPoolExecutor(len(contents)) as clients:
        answers = [*clients.map(ask, contents)]
    served = 0
    for content, answer in zip(contents, answers, strict=True):
        if answer.status == 429:
            assert int(answer.headers["retry-after"]) >= 1
            assert "too many videos" in answer.error
        else:
            served += 1
            assert answer.json["sha256"] == sha256(content).hexdigest()
            assert answer.json["file"]["name"] == f"{content[-1]}.mp4"
            assert answer.json["verdict"] == "evidence_of_manipulation"
    assert served >= WORKERS + WAITING


def test_a_killed_decoder_costs_one_video(server):
    with ThreadPoolExecutor() as clients:
        answer = clients.submit(verdict_on, server, HANGS)
        until(lambda: any(stored(server, pid) for pid in server.workers))
        for pid in server.workers:  # the idle one, too
            os.kill(pid, signal.SIGKILL)
        verdict = answer.result()
        assert (verdict["verdict"], verdict["status"]) == ("abstained", "crashed")
        for after in clients.map(verdict_on, [server] * WORKERS, [TAKES_A_WHILE] * WORKERS):
            assert after["verdict"] == "evidence_of_manipulation"


def test_what_takes_too_long_is_ended_and_who_leaves_is_not_waited_for(server):
    with ThreadPoolExecutor() as clients:
        answers = [clients.submit(verdict_on, server, HANGS) for _ in range(WORKERS)]
        slow = server.begin("/jobs", bytes(1 << 20), 600_000, length=1 << 20)
        server.when(lambda health: health["in_work"] == WORKERS)
        length = len(form(("file", "clip.mp4", TAKES_A_WHILE))[0])
        leaving = server.begin("/predict", TAKES_A_WHILE, length, length)
        server.when(lambda health: health["waiting"] == 1)
        leaving.close()
        server.when(lambda health: health["waiting"] == 0)
        assert not any(answer.done() for answer in answers)
        for answer in answers:
            assert answer.result()["reasons"] == [f"it took more than {SECONDS} seconds"]
        with slow:
            assert slow.recv(100).startswith(b"HTTP/1.1 408 ")


def test_a_killed_server_leaves_nothing_on_the_disk(tmp_path):
    with serving("--workers=1", folder=tmp_path) as server, ThreadPoolExecutor() as clients:
        clients.submit(server.post, "/predict", HANGS + bytes(2 << 20))
        half = server.begin("/jobs", bytes(4 << 20), 3 << 20, length=4 << 20)
        until(lambda: len(stored(server, server.process.pid)) == 2)
        until(lambda: any(stored(server, pid) for pid in server.workers))
        workers = server.workers
        server.process.kill()
        server.process.wait()
        half.close()
        assert not [*tmp_path.iterdir()]
        until(lambda: all(map(is_gone, workers)))


def stored(server: Server, pid: int) -> list[str]:
    """Files in the server's folder that a process has open; they have no name there."""
    found = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            found.append(str(descriptor.readlink()))
    return [link for link in found if link.startswith(str(server.folder))]


def test_who_leaves_ends_the_work_and_told_to_stop_it_answers_and_ends(tmp_path):
    with serving("--workers=1", folder=tmp_path) as server, ThreadPoolExecutor() as clients:
        length = len(form(("file", "clip.mp4", HANGS))[0])
        leaving = server.begin("/predict", HANGS, length, length)
        server.when(lambda health: health["in_work"] == 1)
        (worker,) = server.workers
        leaving.close()
        until(lambda: is_gone(worker))  # long before its time is up
        server.when(lambda health: health["in_work"] == 0)
        assert verdict_on(server, TAKES_A_WHILE)["verdict"] == "evidence_of_manipulation"
        answers = [clients.submit(server.post, "/predict", HANGS) for _ in range(2)]
        server.when(lambda health: health["in_work"] == health["waiting"] == 1)
        workers = server.workers
        server.process.send_signal(signal.SIGTERM)
        for answer in answers:
            assert answer.result().status == 503 and "stopping" in answer.result().error
        output, errors = server.process.communicate()
        assert (server.process.returncode, output, errors) == (0, "stopped\n", "")
        assert all(map(is_gone, workers))
        socket.create_server(server.address).close()
