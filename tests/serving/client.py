"""A server as a process of its own, and what clients of every kind do to it."""

import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.processes import ROOT, TIMEOUT, start_fresh

_BOUNDARY = "----of-the-tests"


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """Why it was refused: one line of JSON."""
        assert self.body.count(b"\n") == 1 and self.headers["content-type"] == "application/json", self.body
        (text,) = self.json.values()
        return text


class Server:
    """A server that runs.

    Args:
        module: that is run.
        flags: its own.
        folder: an empty one, for whatever it writes.
    """

    def __init__(self, module: str, flags: list[str], folder: Path) -> None:
        environment = {**os.environ, "TMPDIR": str(folder)}
        self.folder = folder
        self.process = start_fresh(module, "--port=0", *flags, env=environment, cwd=ROOT)
        line = self.process.stdout.readline()
        assert "http://" in line, self.process.communicate()
        self.url = next(word for word in line.split() if word.startswith("http://"))
        self.address = urlsplit(self.url).hostname, urlsplit(self.url).port

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, content: bytes, name: str = "clip.mp4", **headers: str) -> Answer:
        """Sends a file as a form does."""
        return self.post_body(path, *form(("file", name, content)), **headers)

    def post_body(self, path: str, body: bytes, kind: str, **headers: str) -> Answer:
        return self._ask("POST", path, body, {"content-type": kind, **headers})

    def begin(self, path: str, content: bytes, num_bytes: int, length: int | None) -> socket.socket:
        """Sends the first bytes of a form; says that it has so many, or nothing."""
        body, kind = form(("file", "clip.mp4", content))
        says = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
        part = body[:num_bytes]
        sent = f"{len(part):x}\r\n".encode() + part + b"\r\n" if length is None else part
        connection = socket.create_connection(self.address, timeout=60)
        head = f"POST {path} HTTP/1.1\r\nhost: {self.url[7:-1]}\r\ncontent-type: {kind}\r\n{says}\r\n\r\n"
        connection.sendall(head.encode() + sent)
        return connection

    def health(self) -> dict[str, Any]:
        return self.get("/healthz").json

    def when(self, condition: Callable[[dict[str, Any]], bool]) -> None:
        """Waits until its health is so."""
        until(lambda: condition(self.health()))

    @property
    def workers(self) -> list[int]:
        """Process ids of its decoders."""
        # A thread's children are its own: one that died was replaced by another thread than it began with.
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        children = [pid for task in tasks for pid in (task / "children").read_text().split()]
        return [int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(*self.address, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


@contextmanager
def serving(*flags: str, folder: Path, module: str = "tests.serving.made_server") -> Iterator[Server]:
    """A server until the end of the block, where Ctrl-C ends it if nothing has."""
    server = Server(module, list(flags), folder)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGINT)
            output, errors = server.process.communicate(timeout=TIMEOUT)
            assert (server.process.returncode, output) == (0, "stopped\n"), errors


def form(*files: tuple[str, str, bytes]) -> tuple[bytes, str]:
    """Files by field and name as a multipart body, and its content type."""
    body = b""
    for field, name, content in files:
        head = f'content-disposition: form-data; name="{field}"; filename="{name}"'
        body += f"--{_BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"
    return body + f"--{_BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={_BOUNDARY}"


def until(condition: Callable[[], object]) -> None:
    """Waits for it, up to a limit."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, be it that nobody has asked for its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
