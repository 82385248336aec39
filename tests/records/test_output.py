"""The folder a conversion writes to: one writer at a time, on every file system."""

import errno
import fcntl
import os
import socket
import subprocess
import sys

import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.claim import CLAIM_FILE
from deepfake_tfdata.records.output import LOCK_FILE, exclusive, explained_write_errors, require_writable


@pytest.fixture(params=[errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def without_locks(request, monkeypatch):
    """A file system that knows no flock."""

    def flock(file, operation):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", flock)


def test_without_locks_a_file_keeps_a_second_conversion_out(without_locks, tmp_path, caplog):
    with exclusive(tmp_path):
        assert f"the file system of {tmp_path} has no locks; {CLAIM_FILE} stands for one" in caplog.text
        assert (tmp_path / CLAIM_FILE).read_text() == f"{socket.gethostname()} {os.getpid()}"
        require_writable(tmp_path)  # its own
    assert not (tmp_path / CLAIM_FILE).exists()


@pytest.fixture
def other_process():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_without_locks_the_claim_of_a_living_process_counts(without_locks, other_process, tmp_path):
    (tmp_path / LOCK_FILE).touch()
    (tmp_path / CLAIM_FILE).write_text(f"{socket.gethostname()} {other_process.pid}")
    for enter in (lambda: exclusive(tmp_path).__enter__(), lambda: require_writable(tmp_path)):
        with pytest.raises(UserError, match=rf"process {other_process.pid} on .* delete {tmp_path}"):
            enter()
    other_process.kill()
    other_process.wait()
    with exclusive(tmp_path):
        assert (tmp_path / CLAIM_FILE).read_text().endswith(f" {os.getpid()}")


@pytest.mark.parametrize("owner", ["elsewhere 999999999", ""])
def test_without_locks_nobody_guesses_about_other_machines(without_locks, owner, tmp_path):
    (tmp_path / CLAIM_FILE).write_text(owner)
    with pytest.raises(UserError, match="or, if it was killed, delete"), exclusive(tmp_path):
        pass
    assert (tmp_path / CLAIM_FILE).read_text() == owner


def test_a_lock_that_fails_for_another_reason_is_no_missing_lock(monkeypatch, tmp_path):
    def flock(file, operation):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", flock)
    with (
        pytest.raises(UserError, match="Input/output"),
        explained_write_errors(tmp_path),
        exclusive(tmp_path),
    ):
        pass


def test_what_can_be_written_is_known_without_writing(tmp_path):
    require_writable(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    for output in (tmp_path / "file", tmp_path / "file" / "records"):
        with pytest.raises(NotADirectoryError):
            require_writable(output)


def test_a_folder_that_may_only_be_read_is_known_without_writing(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "disk", tmp_path], stderr=-3).returncode:
        pytest.skip("mounting a file system needs root")
    try:
        with pytest.raises(PermissionError):
            require_writable(tmp_path / "records")
    finally:
        subprocess.run(["umount", tmp_path], check=True)
