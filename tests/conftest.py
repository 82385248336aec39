"""Fixtures that several folders share: a small data set and its records, made once a session; predictions."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from deepfake_tfdata.evaluation.predictions import Predictions
from tests.fakes import FRAME_SIZE, NUM_FRAMES, write_ffpp_tree

PAIRS = {
    "train": [("000", "001"), ("002", "003"), ("004", "005")],
    "val": [("010", "011"), ("012", "013")],
    "test": [("020", "021"), ("022", "023")],
}
Command = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="session")
def command() -> Command:
    """Runs `python -m deepfake_tfdata.NAME --flags` in a process of its own."""

    def run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", f"deepfake_tfdata.{name}", *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, **environment},
        )

    return run


@pytest.fixture(scope="session")
def ffpp_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """28 short videos in the official layout."""
    return write_ffpp_tree(tmp_path_factory.mktemp("source") / "ffpp", PAIRS)


@pytest.fixture(scope="session")
def convert_flags(ffpp_tree: Path) -> list[str]:
    """The flags, but for --output, that the records of this session are made with."""
    return [f"--source={ffpp_tree}", f"--num_frames={NUM_FRAMES}", f"--frame_size={FRAME_SIZE}"]


@pytest.fixture(scope="session")
def records(convert_flags: list[str], command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the convert command makes of ffpp_tree: native crops."""
    output = tmp_path_factory.mktemp("records") / "all"
    result = command("convert", *convert_flags, f"--output={output}")
    assert result.returncode == 0, result.stderr
    return output


@pytest.fixture(scope="session")
def resized_records(
    convert_flags: list[str], command: Command, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same as JPEG squares of FRAME_SIZE."""
    output = tmp_path_factory.mktemp("records") / "resized"
    flags = [*convert_flags, f"--output={output}", "--geometry=resized", "--encoding=jpeg"]
    result = command("convert", *flags, "--regions=full,mouth")
    assert result.returncode == 0, result.stderr
    return output


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
