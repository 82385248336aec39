"""Pages in a headless Chromium: one process for a whole session of tests, spoken to through a pipe.

The protocol is that of Chromium's developer tools: JSON messages that end in a zero byte.
https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# CSS pixels: a phone, a tablet, a desk.
WIDTHS = (360, 768, 1280)
# CSS pixels between the margins of an A4 page.
_PAPER_WIDTH = 688
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# In a container there is often neither a sandbox nor much shared memory.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--remote-debugging-pipe",
)
_TIMEOUT = 60.0
_FAULTS = (Path(__file__).parent / "page_faults.js").read_text()


def find_chromium() -> str | None:
    """The program, if one starts: some systems have a script in its place that says how to get it."""
    for name in _NAMES:
        if path := shutil.which(name):
            with suppress(OSError, subprocess.TimeoutExpired):
                if not subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode:
                    return path
    return None


class Chromium:
    """A browser with one tab."""

    def __init__(self, program: str, profile: Path) -> None:
        self._pid, self._to_browser, self._from_browser = _start(program, profile)
        self._buffer = b""
        self._last_id = 0
        self._session = ""
        self._loaded: set[str] = set()
        self._complaints: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self._call("Page.setLifecycleEventsEnabled", enabled=True)

    def faults(self, page: Path) -> list[str]:
        """What is wrong with a page on screens light and dark, from a phone's to a desk's, and on paper."""
        found = []
        for scheme in ("light", "dark"):
            for width in WIDTHS:
                self.show(page, width, scheme)
                found += [f"{scheme}, {width} pixels: {fault}" for fault in self._faults()]
        self.show(page, _PAPER_WIDTH, "light", medium="print")
        found += [f"on paper: {fault}" for fault in self._faults()]
        if not self.pdf().startswith(b"%PDF"):
            found.append("can't be printed")
        return found

    def show(self, page: Path, width: int, scheme: str = "light", medium: str = "screen") -> None:
        """Loads a file of HTML; the arguments are those of `visit`."""
        self.visit(page.resolve().as_uri(), width, scheme, medium)

    def visit(self, url: str, width: int, scheme: str = "light", medium: str = "screen") -> None:
        """Loads a page.

        Args:
            url: of it.
            width: of the window, CSS pixels.
            scheme: 'light' or 'dark', which the system would like.
            medium: 'screen' or 'print'.
        """
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._call("Emulation.setEmulatedMedia", media=medium, features=[feature])
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
        )
        self._complaints.clear()
        loader = self._call("Page.navigate", url=url)["loaderId"]
        while loader not in self._loaded:
            self._note(self._read())

    def value(self, expression: str) -> Any:
        """What a script on the page gives."""
        result = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise ChromiumError(str(result["exceptionDetails"]))
        return result["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Waits until a script gives what is true, on this page or the one that it leads to."""
        deadline = time.monotonic() + _TIMEOUT
        while time.monotonic() < deadline:
            with suppress(ChromiumError):  # between two pages
                if self.value(expression):
                    return
            time.sleep(0.05)
        raise ChromiumError(f"it never came to {expression}")

    def choose_file(self, selector: str, file: Path) -> None:
        """Chooses a file as somebody does in a form's dialogue."""
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        node = self._call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._call("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def let_scripts_run(self, run: bool) -> None:
        """Of the pages that are loaded from now on."""
        self._call("Emulation.setScriptExecutionDisabled", value=not run)

    @property
    def complaints(self) -> list[str]:
        """What the console showed since the last page was loaded, and what the page asked for."""
        return [*self._complaints]

    def picture(self) -> bytes:
        """The whole page that is shown, as a PNG file."""
        data = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        return base64.b64decode(data)

    def pdf(self) -> bytes:
        """The page that is shown, printed on A4."""
        self._call("Emulation.setEmulatedMedia", media="print")
        printed = self._call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        return base64.b64decode(printed["data"])

    def close(self) -> None:
        """Ends the browser, and waits for it."""
        with suppress(OSError, ChromiumError):
            self._call("Browser.close")
        for pipe in (self._to_browser, self._from_browser):
            os.close(pipe)
        _end(self._pid)

    def _faults(self) -> list[str]:
        found = self.value(_FAULTS)
        return [*self._complaints, *found]

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._last_id:
            self._note(answer)
        if "error" in answer:
            raise ChromiumError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _note(self, event: dict[str, Any]) -> None:
        """Keeps what is loaded, what the console shows, and what the page asks for that is not in it."""
        parameters = event.get("params", {})
        match event.get("method"):
            case "Page.lifecycleEvent" if parameters["name"] == "load":
                self._loaded.add(parameters["loaderId"])
            case "Log.entryAdded":
                entry = parameters["entry"]
                self._complaints.append(f"console {entry['level']}: {entry['text']}")
            case "Runtime.consoleAPICalled":
                self._complaints.append(f"console {parameters['type']}: {parameters['args']}")
            case "Runtime.exceptionThrown":
                self._complaints.append(f"exception: {parameters['exceptionDetails']['text']}")
            case "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if parameters["type"] != "Document" and not url.startswith("data:"):
                    self._complaints.append(f"loads {url}")

    def _read(self) -> dict[str, Any]:
        deadline = time.monotonic() + _TIMEOUT
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from_browser], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(self._from_browser, 1 << 20) if ready else b""
            if not part:
                raise ChromiumError("has ended" if ready else f"has not answered in {_TIMEOUT:.0f} seconds")
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


class ChromiumError(Exception):
    """The browser ended, hangs or does not understand."""


@contextmanager
def open_chromium(program: str, profile: Path) -> Iterator[Chromium]:
    """A browser until the end of the block.

    Args:
        program: what `find_chromium` found.
        profile: an empty folder for its files.
    """
    browser = Chromium(program, profile)
    try:
        yield browser
    finally:
        browser.close()


def _start(program: str, profile: Path) -> tuple[int, int, int]:
    """Its process, which leads a group, and the pipes to it and from it: it has them as files 3 and 4."""
    its_input, to_browser = map(_above_its_own, os.pipe())
    from_browser, its_output = map(_above_its_own, os.pipe())
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, place) for place in (0, 1, 2)]
    actions += [(os.POSIX_SPAWN_DUP2, its_input, 3), (os.POSIX_SPAWN_DUP2, its_output, 4)]
    command = [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    pid = os.posix_spawn(program, command, os.environ, file_actions=actions, setpgroup=0)
    for file in (its_input, its_output, null):
        os.close(file)
    return pid, to_browser, from_browser


def _above_its_own(file: int) -> int:
    """The same file under a number that the browser's own ones leave alone, closed in other processes."""
    copy = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(file)
    return copy


def _end(pid: int) -> None:
    """Waits for a group's leader, which is killed with all its own if it takes too long."""
    deadline = time.monotonic() + 10
    while not os.waitpid(pid, os.WNOHANG)[0]:
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.02)
