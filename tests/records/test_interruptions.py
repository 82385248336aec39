"""Whatever ends a conversion, the next run finishes it with the same bytes."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from deepfake_tfdata.records.output import LOCK_FILE, exclusive
from tests.processes import Forked, start_fresh

pytestmark = pytest.mark.slow

NUM_SHARDS = 7
SMALL_SHARDS = "--shard_mib=3"  # four videos of four native frames


@pytest.fixture(scope="module")
def convert(convert_flags):
    """Starts a conversion into many shards."""

    def begin(output: Path, *flags: str, start=Forked, **options) -> Forked:
        script = ["deepfake_tfdata.convert", *convert_flags, SMALL_SHARDS, f"--output={output}"]
        return start(*script, "--regions=full,mouth", *flags, **options)

    return begin


@pytest.fixture(scope="module")
def uninterrupted(convert, tmp_path_factory) -> Path:
    """Made by a fresh process, whose hashes are other than those of the forked ones."""
    output = tmp_path_factory.mktemp("uninterrupted")
    finish(convert(output, start=start_fresh))
    return output


def finish(process: Forked) -> str:
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    return stderr


def shard_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.tfrecord-*") if ".incomplete" not in path.name]


def shards(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in shard_files(folder)}


def statuses(folder: Path) -> list[tuple[str, str, int]]:
    lines = map(json.loads, (folder / "ledger.jsonl").read_text().splitlines())
    return [(line["video"], line["status"], line["clips"]) for line in lines]


def assert_same(output: Path, uninterrupted: Path) -> None:
    assert shards(output) == shards(uninterrupted)
    assert len(shards(output)) == 2 * NUM_SHARDS
    assert statuses(output) == statuses(uninterrupted)
    names = {str(path.relative_to(output)) for path in output.rglob("*")}
    assert names == {str(path.relative_to(uninterrupted)) for path in uninterrupted.rglob("*")}


def wait_for_shards(process: Forked, output: Path, count: int) -> None:
    """Returns once this process is at work and so many shards are there, or when it has ended."""
    lock = output / LOCK_FILE
    while process.poll() is None:
        at_work = lock.exists() and lock.read_text() == str(process.pid)
        if at_work and len(shard_files(output)) >= 2 * count:
            return
        time.sleep(0.01)


def test_killed_at_random_moments_it_finishes_with_the_same_bytes(convert, uninterrupted, tmp_path):
    chance = random.Random(0)
    for count in (0, 2, 5):
        process = convert(tmp_path)
        wait_for_shards(process, tmp_path, count)
        time.sleep(chance.uniform(0, 0.2))
        process.kill()
        process.communicate()
        # What has its final name is whole.
        assert shards(tmp_path).items() <= shards(uninterrupted).items()
    finish(convert(tmp_path))
    assert_same(tmp_path, uninterrupted)


def test_terminated_it_leaves_nothing_half_written_and_goes_on(convert, uninterrupted, tmp_path):
    process = convert(tmp_path)
    wait_for_shards(process, tmp_path, 2)
    process.send_signal(signal.SIGTERM)
    start = time.monotonic()
    _, stderr = process.communicate(timeout=60)
    assert time.monotonic() - start < 20  # preempted machines have 25 to 30
    assert process.returncode == 130
    assert stderr.splitlines()[-1] == "error: interrupted; run the same command again to go on"
    assert not list(tmp_path.rglob("*.incomplete*"))
    assert shards(tmp_path)
    finish(convert(tmp_path))
    assert_same(tmp_path, uninterrupted)


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for some of the shards, and how to make room for all."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1200k", "disk", folder], stderr=-3).returncode:
        pytest.skip("mounting a file system needs root")
    yield folder / "records"
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_named_and_what_is_finished_is_kept(convert, uninterrupted, small_disk):
    process = convert(small_disk)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert stderr.splitlines()[-1].startswith(f"error: no space left for {small_disk}")
    assert "Traceback" not in stderr
    assert not list(small_disk.rglob("*.incomplete*"))
    kept = shards(small_disk)
    assert kept
    assert kept.items() <= shards(uninterrupted).items()
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk.parent], check=True)
    finish(convert(small_disk))
    assert_same(small_disk, uninterrupted)


def test_a_limit_on_file_size_is_a_full_disk(convert, tmp_path):
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (9_000, 9_000))
    process = convert(tmp_path, start=start_fresh, preexec_fn=limit)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert stderr.splitlines()[-1].startswith(f"error: no space left for {tmp_path}")


def test_an_output_that_can_not_be_written_is_named(convert, tmp_path):
    (tmp_path / "file").touch()
    process = convert(tmp_path / "file" / "records")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"error: can't write to {tmp_path}/file/records" in stderr


def test_a_second_conversion_into_the_same_folder_is_refused(convert, tmp_path):
    with exclusive(tmp_path):
        process = convert(tmp_path)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert stderr.splitlines()[-1].startswith(
        f"error: process {os.getpid()} is converting into {tmp_path}; wait"
    )
    # A lock that a killed process left behind holds nobody up.
    (tmp_path / LOCK_FILE).write_text("1")
    with exclusive(tmp_path):
        assert (tmp_path / LOCK_FILE).read_text() == str(os.getpid())


@pytest.fixture(scope="module")
def with_crashes(convert, tmp_path_factory) -> Path:
    """A whole conversion whose workers were killed once, as by the kernel when memory is short."""
    output = tmp_path_factory.mktemp("with_crashes")
    process = convert(output)
    wait_for_shards(process, output, 1)
    for worker in workers_of(process.pid):
        os.kill(worker, signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert "crashed" in {status for _, status, _ in statuses(output)}
    assert "the same command with --retry_failed tries them again" in stdout
    return output


def test_videos_that_crashed_are_tried_again_when_asked_for(convert, uninterrupted, with_crashes, tmp_path):
    output = shutil.copytree(with_crashes, tmp_path / "records")
    finish(convert(output))
    assert shards(output) == shards(with_crashes)
    finish(convert(output, "--retry_failed"))
    assert_same(output, uninterrupted)
    # With nothing left to try again, nothing is written again.
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.tfrecord-*")}
    finish(convert(output, "--retry_failed"))
    assert before == {path: path.stat().st_mtime_ns for path in output.rglob("*.tfrecord-*")}


def test_killed_while_it_tries_again_it_goes_on(convert, uninterrupted, with_crashes, tmp_path):
    output = shutil.copytree(with_crashes, tmp_path / "records")
    process = convert(output, "--retry_failed")
    while process.poll() is None and len(shard_files(output)) == 2 * NUM_SHARDS:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    finish(convert(output))
    assert_same(output, uninterrupted)


def test_trying_again_writes_all_regions(convert, uninterrupted, with_crashes, tmp_path):
    output = shutil.copytree(with_crashes, tmp_path / "records")
    finish(convert(output, "--retry_failed", "--regions=mouth"))
    assert_same(output, uninterrupted)


def test_killing_the_parent_ends_its_workers(tmp_path):
    code = (
        "from tests.records.test_worker_pool import videos, work; "
        "from deepfake_tfdata.records.worker_pool import process_in_order; "
        "list(process_in_order(videos('hang', 'hang'), work, 2))"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    workers = []
    try:
        while len(workers) < 2 and process.poll() is None:
            time.sleep(0.05)
            workers = workers_of(process.pid)
        time.sleep(1.5)  # they import their work, and hang in it
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 5
    while any("spawn_main" in command_line(pid) for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def workers_of(pid: int) -> list[int]:
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return [child for child in children if "spawn_main" in command_line(child)]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
