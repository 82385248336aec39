"""YuNet's model downloaded from a real server on loopback, which may be slow, gone or lie."""

import shutil
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.video.detectors import content_hash
from deepfake_tfdata.video.detectors.yunet_model import MODEL_FILE, cached_model, provide_model
from deepfake_tfdata.video.options import DetectorOptions
from tests.fakes import YUNET_MODEL

CONTENT = YUNET_MODEL.read_bytes()


class Handler(BaseHTTPRequestHandler):
    """Answers by path; what was asked for is in the server's list."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
            return
        if self.path not in ("/whole", "/cut", "/wrong", "/slow", "/endless"):
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/endless":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        with suppress(ConnectionError):  # where the client has heard enough
            self.answer()

    def answer(self):
        if self.path == "/whole":
            self.wfile.write(CONTENT)
        elif self.path == "/cut":
            self.wfile.write(CONTENT[:100_000])
        elif self.path == "/wrong":
            self.wfile.write(CONTENT[:-1] + b"x")
        elif self.path == "/slow":
            for index in range(40):
                self.wfile.write(CONTENT[index : index + 1])
                time.sleep(0.05)
        else:
            while True:
                self.wfile.write(CONTENT)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.asked = []
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def url(server, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.asked.clear()
    return f"http://127.0.0.1:{server.server_address[1]}"


def files_in(folder):
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("page", ["whole", "moved"])
def test_it_is_downloaded_once(tmp_path, url, server, page):
    path = tmp_path / "cache" / MODEL_FILE
    provide_model(path, f"{url}/{page}")
    assert path.read_bytes() == CONTENT
    asked = len(server.asked)
    provide_model(path, f"{url}/{page}")
    assert len(server.asked) == asked
    assert files_in(tmp_path) == [MODEL_FILE]


def test_a_damaged_file_in_the_cache_is_replaced(tmp_path, url):
    (tmp_path / MODEL_FILE).write_bytes(CONTENT[:-1])
    provide_model(tmp_path / MODEL_FILE, f"{url}/whole")
    assert (tmp_path / MODEL_FILE).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("cut", "gave 100,000 bytes that are not YuNet's model"),
        ("wrong", "gave 232,589 bytes that are not YuNet's model"),
        ("endless", "that are not YuNet's model"),
        ("gone", r"can't download .*/gone \(Not Found\)"),
        ("slow", "it took more than 0.5 seconds"),
    ],
)
def test_what_is_not_the_model_is_refused_and_nothing_kept(tmp_path, url, page, message):
    start = time.monotonic()
    with pytest.raises(UserError, match=message) as error:
        provide_model(
            tmp_path / "cache" / MODEL_FILE, f"{url}/{page}", time_limit=0.5 if page == "slow" else 20
        )
    assert f"download {MODEL_FILE}" in str(error.value)
    assert "--detector_model=FILE.onnx" in str(error.value)
    assert "\n" not in str(error.value)
    assert files_in(tmp_path) == []
    assert time.monotonic() - start < 20


def test_a_cache_that_can_not_be_written_is_named(tmp_path, url):
    (tmp_path / "cache").write_text("no folder")
    with pytest.raises(UserError, match=r"can't write .*/cache/"):
        provide_model(tmp_path / "cache" / MODEL_FILE, f"{url}/whole")


def test_offline_the_command_says_what_to_download_and_which_flag_names_it(command, ffpp_tree, tmp_path):
    flags = [f"--source={ffpp_tree}", f"--output={tmp_path / 'records'}", "--detector=yunet"]
    environment = {"XDG_CACHE_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    result = command("convert", *flags, **environment)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert "Connection refused" in line
    assert f"download {MODEL_FILE}" in line and "--detector_model=FILE.onnx" in line
    assert files_in(tmp_path) == []


def test_a_model_in_the_cache_is_the_same_to_the_spec_as_one_that_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cached_model().parent.mkdir()
    shutil.copy(YUNET_MODEL, cached_model())
    paths = [DetectorOptions(model).path_for("yunet") for model in ("", str(YUNET_MODEL))]
    assert paths == [str(tmp_path / "deepfake_tfdata" / MODEL_FILE), str(YUNET_MODEL)]
    assert len(set(map(content_hash, paths))) == 1


def test_the_cache_is_where_xdg_says(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cached_model() == tmp_path / ".cache" / "deepfake_tfdata" / MODEL_FILE
