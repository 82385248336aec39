"""Commands as processes of their own, forked from one that has imported TensorFlow, or fresh ones.

The import takes longer than most commands. A fork is as real a process: it has memory and devices of its own,
ends with a status, and dies of signals. The import itself, its order, and variables that it reads are for the
fresh ones to show; so are graphs as TensorFlow optimizes them, which takes a third of a short training.
"""

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]
# A variable that, when it is set, makes a forked process optimize its graphs, too.
OPTIMIZE_GRAPHS = "TESTS_OPTIMIZE_GRAPHS"
TIMEOUT = 580  # pytest's own is little more
_SERVER = multiprocessing.get_context("forkserver")
# Only imported: a TensorFlow that has begun, by listing its devices even, has threads that no fork inherits.
_SERVER.set_forkserver_preload(
    [
        "deepfake_tfdata.training.run",
        "deepfake_tfdata.records.conversion",
        "deepfake_tfdata.reports.contact_sheet",
        "deepfake_tfdata.reports.evaluation_report",
    ]
)


class _Output:
    """A file that a process writes, with as much of a pipe as is used."""

    def __init__(self, process: "Forked") -> None:
        self._process = process
        self._file = NamedTemporaryFile("r", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.name = self._file.name

    def readline(self) -> str:
        """The next line, once it is whole, or what there is when the process has ended."""
        line = ""
        while not line.endswith("\n"):
            ended = self._process.poll() is not None
            line += self._file.readline()
            if ended:
                break
            time.sleep(0.01)
        return line

    def read(self) -> str:
        return self._file.read()


class Forked:
    """What `python -m MODULE ARGUMENTS` does, with as much of subprocess.Popen as is used.

    Args:
        arguments: the module and its arguments.
        environment: variables to set.
    """

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.stdout, self.stderr = _Output(self), _Output(self)
        outputs = (self.stdout.name, self.stderr.name)
        self._process = _SERVER.Process(target=_run_module, args=(arguments, environment, outputs))
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.is_alive():
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float = TIMEOUT) -> int:
        self._process.join(timeout)
        if self._process.is_alive():
            raise subprocess.TimeoutExpired(self._process.name, timeout)
        return self._process.exitcode

    def communicate(self, timeout: float = TIMEOUT) -> tuple[str, str]:
        """Waits for its end; what it wrote on stdout and on stderr, and was not read yet."""
        self.wait(timeout)
        return self.stdout.read(), self.stderr.read()


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs a module to its end in a forked process."""
    process = Forked(*arguments, **environment)
    output, errors = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def start_command(command: list[str], **_: object) -> Forked:
    """Forks instead of subprocess.Popen([sys.executable, "-m", MODULE, ...])."""
    assert command[:2] == [sys.executable, "-m"], command
    return Forked(*command[2:])


def _run_command(command: list[str], check: bool = False, **_: object) -> subprocess.CompletedProcess:
    """Forks instead of subprocess.run([sys.executable, "-m", MODULE, ...])."""
    assert command[:2] == [sys.executable, "-m"], command
    result = run(*command[2:])
    assert not (check and result.returncode), result.stderr
    return result


# For a module of ours in place of `subprocess`, which stays as it is for everybody else.
FORKING = SimpleNamespace(run=_run_command, DEVNULL=subprocess.DEVNULL)


def start_fresh(*arguments: str, **options: object) -> subprocess.Popen:
    """Starts a module as a user does; options go to Popen."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", *arguments], **{**pipes, **options})


def run_fresh(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs a module to its end as a user does."""
    process = start_fresh(*arguments, env={**os.environ, **environment})
    output, errors = process.communicate(timeout=TIMEOUT)
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def _run_module(arguments: tuple[str, ...], environment: dict[str, str], outputs: tuple[str, str]) -> None:
    """In the fork: becomes that module's process."""
    for descriptor, name in enumerate(outputs, 1):
        file = os.open(name, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, descriptor)
        os.close(file)
    os.environ.update(environment)
    if OPTIMIZE_GRAPHS not in environment:
        leave_graphs_as_they_are()
    sys.argv = list(arguments)
    sys.modules.pop(arguments[0], None)
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def leave_graphs_as_they_are() -> None:
    """Graphs run as they were traced: TensorFlow optimizes none in this process from now on."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@atexit.register
def _kill_what_is_left() -> None:
    for process in multiprocessing.active_children():
        process.kill()
