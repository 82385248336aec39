"""The board and its uploads in this process, with workers that are none."""

import time
from concurrent.futures import Future
from hashlib import sha256
from pathlib import Path
from tempfile import SpooledTemporaryFile
from threading import Event

import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.outcome import Outcome
from deepfake_tfdata.serving import board as board_module
from deepfake_tfdata.serving import uploads
from deepfake_tfdata.serving.board import Board, FullError
from deepfake_tfdata.serving.job import JobFailed
from deepfake_tfdata.serving.options import ServingOptions
from deepfake_tfdata.serving.server import listen
from deepfake_tfdata.serving.uploads import Upload
from deepfake_tfdata.verdicts.ensemble import Ensemble
from deepfake_tfdata.verdicts.judge import Judge
from deepfake_tfdata.verdicts.options import VerdictOptions
from tests.verdicts import made


class Inline:
    """A worker that works here, and waits for `go`, or for an end of what it works on."""

    go = Future()

    def __init__(self, work, allowed):
        self._work, self.alive = work, True

    def process(self, video, wanted):
        Inline.go.result()
        return Outcome(self._work(video), "ok", "", 0.1)

    def interrupt(self):
        self.close()

    def close(self):
        if not Inline.go.done():
            Inline.go.set_result(None)


@pytest.fixture
def make_board(monkeypatch):
    monkeypatch.setattr(board_module, "Worker", Inline)
    Inline.go = Future()
    boards = []

    def make(kind=made.BrightnessDetector, **options) -> Board:
        def inspect(plan, video):
            return made.inspected(made.face([150]))

        detector = kind(made.calibration())
        judge = Judge(Ensemble((detector,)), VerdictOptions(), inspect, {}, "")
        limits = ServingOptions(**{"workers": 1, "max_waiting": 2, **options})
        boards.append(Board(judge, lambda verdict, exhibit: "page" * 100, limits))
        return boards[-1]

    yield make
    for each in boards:
        each.close()


def submitted(board, with_page=True):
    board.reserve()
    return board.submit(Upload("clip.mp4", SpooledTemporaryFile()), with_page)


def test_a_place_is_free_again_when_its_video_is_looked_at_or_given_up(make_board):
    board = make_board()
    jobs = [submitted(board) for _ in range(3)]
    with pytest.raises(FullError) as error:
        board.reserve()
    assert error.value.seconds >= 10  # nothing is known of how long it takes, and two wait
    board.forget(jobs[2])
    with pytest.raises(JobFailed):
        jobs[2].result.result(timeout=10)
    board.reserve()
    board.give_up()
    Inline.go.set_result(None)
    for job in jobs[:2]:
        assert job.result.result(timeout=10).page
    for _ in range(3):
        board.reserve()
    assert not Path(jobs[0].upload.path).exists()


def test_verdicts_are_forgotten_after_their_time_and_the_oldest_of_too_many(make_board, monkeypatch):
    Inline.go.set_result(None)
    board = make_board(keep_minutes=0.005)
    old = submitted(board)
    old.result.result(timeout=10)
    board.forget_old()
    assert board.find(old.id) is old
    time.sleep(0.35)
    young = submitted(board)
    young.result.result(timeout=10)
    board.forget_old()
    assert board.find(old.id) is None and board.find(young.id) is young
    monkeypatch.setattr(board_module, "_MAX_KEPT_BYTES", 700)
    newest = submitted(board)
    newest.result.result(timeout=10)
    board.forget_old()
    assert board.find(young.id) is None and board.find(newest.id) is newest


def test_a_detector_that_fails_costs_one_video(make_board, monkeypatch):
    Inline.go.set_result(None)
    board = make_board()
    with monkeypatch.context() as broken:
        broken.setattr(board.judge, "conclude", lambda *_: 1 / 0)
        job = submitted(board)
        with pytest.raises(JobFailed, match="its log says why"):
            job.result.result(timeout=10)
    assert submitted(board).result.result(timeout=10).verdict["verdict"] == "evidence_of_manipulation"


def test_nobody_goes_on_looking_at_a_video_that_nobody_waits_for(make_board, monkeypatch):
    board = make_board()
    monkeypatch.setattr(board.judge, "conclude", lambda *_: pytest.fail("scored"))
    job = submitted(board)
    when(job, "looking_for_faces")
    board.forget(job)
    with pytest.raises(JobFailed, match="nobody waits"):
        job.result.result(timeout=10)
    assert Inline.go.done()


class EndlessDetector(made.BrightnessDetector):
    """Scores without end, but asks whether it is to go on."""

    begun = Event()

    def score(self, clips, go_on):
        self.begun.set()
        while True:
            go_on()
            time.sleep(0.01)


def test_a_video_that_nobody_waits_for_any_more_is_scored_no_further(make_board):
    Inline.go.set_result(None)
    board = make_board(EndlessDetector)
    job = submitted(board)
    when(job, "scoring")
    board.forget(job)
    with pytest.raises(JobFailed, match="nobody waits"):
        job.result.result(timeout=10)


def test_a_video_that_waits_for_another_to_be_scored_is_given_up_when_nobody_waits(make_board):
    Inline.go.set_result(None)
    board = make_board(EndlessDetector, workers=2)
    EndlessDetector.begun.clear()
    first = submitted(board)
    assert EndlessDetector.begun.wait(10)
    second = submitted(board)
    when(second, "scoring")
    time.sleep(0.3)  # it was wanted when its turn did not come
    board.forget(second)
    with pytest.raises(JobFailed, match="nobody waits"):
        second.result.result(timeout=10)
    assert not first.result.done()


def test_a_board_that_is_closed_scores_no_further(make_board):
    Inline.go.set_result(None)
    board = make_board(EndlessDetector)
    job = submitted(board)
    when(job, "scoring")
    board.close()
    with pytest.raises(JobFailed, match="stopping"):
        job.result.result(timeout=10)


def test_a_video_that_takes_too_long_to_score_is_an_abstention(make_board):
    Inline.go.set_result(None)
    job = submitted(make_board(EndlessDetector, max_seconds=1))
    verdict = job.result.result(timeout=10).verdict
    assert (verdict["verdict"], verdict["status"]) == ("abstained", "timed_out")
    assert verdict["reasons"] == ["scoring it takes more than --max_seconds=1"]
    assert verdict["sha256"] == sha256(b"").hexdigest()


def when(job, stage):
    while job.stage != stage:
        time.sleep(0.01)


def test_a_board_that_is_closed_takes_nothing(make_board):
    board = make_board()
    jobs = [submitted(board), submitted(board)]
    board.close()
    for job in [*jobs, submitted(board)]:
        with pytest.raises(JobFailed, match="stopping") as error:
            job.result.result(timeout=10)
        assert error.value.status == 503


@pytest.mark.parametrize("has_proc", [True, False])
def test_an_upload_is_a_file_that_another_process_can_open_until_it_is_closed(monkeypatch, has_proc):
    if has_proc and not uploads._HAS_PROC:
        pytest.skip("no /proc here")
    monkeypatch.setattr(uploads, "_HAS_PROC", has_proc)
    content = SpooledTemporaryFile(max_size=1)  # noqa: SIM115
    for part in (b"vi", b"deo"):
        content.write(part)
    upload = Upload("clip.mp4", content)
    assert Path(upload.path).read_bytes() == b"video"
    upload.close()
    assert not Path(upload.path).exists()


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("clip.mp4", "clip.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\a.mp4", "a.mp4"),
        ("", "video"),
        ("folder/", "video"),
        ("..", "%2E%2E"),
        ("a\nb\x1b[31m.mp4", "a%0Ab%1B[31m.mp4"),
        ("x" * 500 + ".mp4", "x" * 116 + ".mp4"),
    ],
)
def test_a_client_s_name_is_a_line_of_text(sent, shown):
    assert uploads._shown_name(sent) == shown


def test_a_port_that_is_taken_or_a_host_that_is_elsewhere_is_named():
    with listen(ServingOptions(port=0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"--port={port}: .*in use"):
            listen(ServingOptions(port=port))
    with pytest.raises(UserError, match=r"--host=192\.0\.2\.1"):
        listen(ServingOptions(host="192.0.2.1", port=0))
