"""What a server shows: jobs and their pages, to programs and in a browser; and whom it refuses."""

from hashlib import sha256
from pathlib import Path

import pytest

from deepfake_tfdata.serving.job import Job
from deepfake_tfdata.serving.options import ServingOptions
from deepfake_tfdata.serving.pages import failed_page, upload_page
from tests.fakes import face_frames, write_video
from tests.reports.html_checks import SCRIPT
from tests.serving.client import serving, until
from tests.serving.made_server import TAKES_A_WHILE
from tests.verdicts import made

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at processes in /proc")
LONG = "a_name_that_nowhere_has_a_place_to_break_" * 3


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving("--workers=1", "--max_upload_mib=1", folder=tmp_path_factory.mktemp("server")) as server:
        yield server


def test_a_job_is_followed_to_its_verdict_and_its_page(server):
    answer = server.post("/jobs", TAKES_A_WHILE, name=f"{SCRIPT}.mp4")
    assert answer.status == 202
    place = answer.headers["location"]
    assert place == f"/jobs/{answer.json['id']}" and len(answer.json["id"]) >= 32
    waiting = server.get(f"{place}/page")
    assert (waiting.status, waiting.headers["refresh"]) == (200, "2")
    until(lambda: server.get(place).json["stage"] == "done")
    verdict = server.get(place).json["verdict"]
    assert verdict["sha256"] == sha256(TAKES_A_WHILE).hexdigest()
    page = server.get(f"{place}/page")
    assert page.status == 200 and "refresh" not in page.headers
    text = page.body.decode()
    assert verdict["sha256"] in text and "Evidence of manipulation" in text
    # A name with folders in it is a name without.
    assert "script>.mp4" not in text and "script&gt;.mp4" in text
    # What judges here needs no TensorFlow, and neither does the server.
    assert "tensorflow" not in Path(f"/proc/{server.process.pid}/maps").read_text()


def test_nothing_of_a_visitor_is_shown_to_another_or_kept_by_a_browser(server):
    job = server.post("/jobs", TAKES_A_WHILE).json["id"]
    for path in ("/jobs", "/jobs/", "/docs", "/redoc", f"/jobs/{job[:-1]}", f"/jobs/{job}x/page"):
        answer = server.get(path)
        assert answer.status in (404, 405, 307), path
        assert job not in answer.body.decode()
    for path in ("/", "/healthz", "/openapi.json", f"/jobs/{job}", f"/jobs/{job}/page", "/nothing"):
        answer = server.get(path)
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert job not in server.get("/").body.decode()
    assert {"/predict", "/jobs", "/jobs/{job_id}", "/healthz"} <= set(
        server.get("/openapi.json").json["paths"]
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "rebound.example"}, 421),
        ({"host": "127.0.0.1.example:80"}, 421),
        ({"host": "["}, 421),
        ({"host": "localhost:1234"}, 200),
        ({"origin": "http://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "SELF"}, 200),
    ],
)
def test_other_sites_are_refused(server, headers, status):
    headers = {name: server.url.rstrip("/") if value == "SELF" else value for name, value in headers.items()}
    answer = server.post("/predict", TAKES_A_WHILE, **headers)
    assert answer.status == status
    if status != 200:
        assert "server is not called" in answer.error or "may not send" in answer.error


def test_names_of_a_proxy_are_its_own():
    assert ServingOptions().own_names == ("localhost", "127.0.0.1", "::1")
    assert ServingOptions(host="::1").own_names and not ServingOptions(host="0.0.0.0").own_names
    assert "a.example" in ServingOptions(host="0.0.0.0", names=("a.example",)).own_names


def drop(content: str, name: str) -> str:
    """A script that drops a file on the page; its content is an expression."""
    return (
        "{ const dropped = new DataTransfer();"
        f"dropped.items.add(new File([{content}], {name!r}));"
        "document.dispatchEvent(new DragEvent('drop', { dataTransfer: dropped, cancelable: true })); }"
    )


def test_a_video_dropped_in_a_browser_leads_to_its_verdict(server, chromium):
    chromium.visit(server.url, 1280)
    chromium.value(drop("new Uint8Array(2 ** 20 + 1)", "large.mp4"))
    chromium.wait_for("document.querySelector('#failure').textContent.includes('more than 1 MiB')")
    chromium.value(drop(repr(TAKES_A_WHILE.decode()), "clip.mp4"))
    chromium.wait_for("document.querySelector('[aria-current]').textContent === 'Looking for faces'")
    chromium.wait_for("location.pathname.endsWith('/page')")
    chromium.wait_for("document.querySelector('h1')?.textContent === 'Verdict on clip.mp4'")
    assert "Evidence of manipulation" in chromium.value("document.querySelector('.lead').textContent")
    # Nothing was asked of anybody else, and no policy was broken.
    assert all(complaint.startswith(f"loads {server.url}jobs") for complaint in chromium.complaints)


def test_without_scripts_the_form_does_it(server, chromium, tmp_path):
    video = write_video(tmp_path / "clip.mp4", face_frames(4, 64))
    chromium.let_scripts_run(False)
    try:
        chromium.visit(server.url, 360)
        chromium.choose_file("input", video)
        chromium.value("document.querySelector('button').click()")
        chromium.wait_for("document.body.textContent.includes('Evidence of manipulation')")
    finally:
        chromium.let_scripts_run(True)


def test_the_pages_have_no_faults(chromium, tmp_path):
    class Named:
        name = LONG

    detectors = (made.BrightnessDetector(None), made.BrightnessDetector(made.calibration()))
    job = Job(Named(), with_page=True)
    page = tmp_path / "page.html"
    for text in (
        upload_page(detectors, ServingOptions(), "n"),
        failed_page(job, f"the server is stopping {LONG}"),
    ):
        page.write_text(text)
        assert chromium.faults(page) == []
