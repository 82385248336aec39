"""Fixtures that several folders share: a small data set and its records, made once a session; predictions."""

import fcntl
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from deepfake_tfdata.evaluation.predictions import Predictions
from tests import processes
from tests.fakes import FRAME_SIZE, NUM_FRAMES, write_ffpp_tree
from tests.reports.chromium import Chromium, find_chromium, open_chromium

PAIRS = {
    "train": [("000", "001"), ("002", "003"), ("004", "005")],
    "val": [("010", "011"), ("012", "013")],
    "test": [("020", "021"), ("022", "023")],
}
# A busy machine takes longer for an example; how long it takes says nothing of whether it is right.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

Command = Callable[..., subprocess.CompletedProcess]
MakeOnce = Callable[[str, Callable[[Path], object]], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, those of training before all, so that all cores end at about once."""
    slow = sorted({item.path for item in items if item.get_closest_marker("slow")}, reverse=True)
    items.sort(key=lambda item: slow.index(item.path) if item.path in slow else len(slow))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Every test draws the same numbers, whichever tests were before it in its process."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture(scope="session", autouse=True)
def graphs_as_they_are() -> None:
    """Leaves out TensorFlow's graph optimizer, as tests.processes does: a fifth of these tests' time."""
    if "tensorflow" in sys.modules:
        processes.leave_graphs_as_they_are()


@pytest.fixture(scope="session", autouse=True)
def seldom_swept() -> None:
    """Has Python look for cycles more seldom, and never among what is imported: a twentieth of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def command() -> Command:
    """Runs `python -m deepfake_tfdata.NAME --flags` in a forked process of its own."""

    def run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return processes.run(f"deepfake_tfdata.{name}", *arguments, **environment)

    return run


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """Gives a folder of that name, filled by the first of pytest's processes that asks; not to be changed."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                fill(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def ffpp_tree(made_once: MakeOnce) -> Path:
    """28 short videos in the official layout."""
    return made_once("ffpp", lambda folder: write_ffpp_tree(folder, PAIRS))


@pytest.fixture(scope="session")
def convert_flags(ffpp_tree: Path) -> list[str]:
    """The flags, but for --output, that the records of this session are made with."""
    return [f"--source={ffpp_tree}", f"--num_frames={NUM_FRAMES}", f"--frame_size={FRAME_SIZE}"]


@pytest.fixture(scope="session")
def convert_once(convert_flags: list[str], command: Command, made_once: MakeOnce) -> Callable[..., Path]:
    """Gives the records of that name, which the convert command makes of ffpp_tree with these flags more."""

    def convert(name: str, *flags: str) -> Path:
        def fill(folder: Path) -> None:
            result = command("convert", *convert_flags, f"--output={folder}", *flags)
            assert result.returncode == 0, result.stderr

        return made_once(name, fill)

    return convert


@pytest.fixture(scope="session")
def records(convert_once: Callable[..., Path]) -> Path:
    """Native crops of all regions."""
    return convert_once("records")


@pytest.fixture(scope="session")
def resized_records(convert_once: Callable[..., Path]) -> Path:
    """JPEG squares of FRAME_SIZE."""
    return convert_once("resized", "--geometry=resized", "--encoding=jpeg", "--regions=full,mouth")


@pytest.fixture(scope="session")
def other_records(convert_once: Callable[..., Path]) -> Path:
    """Of another spec than `records`."""
    return convert_once("other", "--min_found=0.25", "--regions=mouth")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser to look at pages with; where there is none, its tests are skipped."""
    if not (program := find_chromium()):
        pytest.skip("no Chromium or Chrome that starts is on the PATH")
    with open_chromium(program, tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def make_predictions():
    """Makes one clip a video: originals, and a fake of each by every method."""

    def make(num_sources=20, methods=("Face2Face",), separation=2.0, seed=0, num_frames=None):
        random = np.random.default_rng(seed)
        manipulations = np.repeat(["original", *methods], num_sources)
        targets = np.tile([f"{source:03d}" for source in range(num_sources)], 1 + len(methods))
        fake = manipulations != "original"
        videos = np.where(fake, np.char.add(targets, "_999"), targets)
        count = len(targets)
        logits = random.normal(size=count) + separation * (fake - 0.5)
        per_frame = {}
        if num_frames:
            weights = random.random((count, num_frames))
            per_frame = {
                "attention": weights / weights.sum(axis=1, keepdims=True),
                "frame_indices": np.tile(np.arange(num_frames) * 10, (count, 1)),
                "timestamps": np.tile(np.arange(num_frames) * 0.4, (count, 1)),
            }
        return Predictions(
            clip_ids=np.char.add(np.char.add(manipulations, "-"), videos),
            video_ids=videos,
            manipulations=manipulations,
            target_ids=targets,
            labels=fake.astype(int),
            scores=1 / (1 + np.exp(-logits)),
            **per_frame,
        )

    return make
