"""One file of events a run, which TensorBoard reads to its end whatever happened to the run."""

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from deepfake_tfdata.scoring.clip_scores import ClipScores
from deepfake_tfdata.training.summaries import Summaries

SCORES = ClipScores(np.float32([0.3, -0.2, 0.1, 0.4]), np.array([1, 0, 1, 0]), np.full((4, 2), 0.5), {})


def add(summaries, *steps):
    for step in steps:
        summaries.add_epoch({"epoch": 1, "step": step, "loss": step / 10, "val_auc": None}, SCORES)


def losses(folder):
    """Steps and losses, as TensorBoard reads them."""
    (file,) = folder.glob("*tfevents*")
    events = list(EventFileLoader(str(file)).Load())
    assert events[0].file_version == "brain.Event:2"
    return [
        (
            event.step,
            pytest.approx(value.tensor.float_val[0] if value.tensor.float_val else value.simple_value),
        )
        for event in events
        for value in event.summary.value
        if value.tag == "loss"
    ]


def test_epochs_are_added_to_one_file_with_their_pictures(tmp_path):
    add(Summaries(tmp_path), 1, 2)
    add(Summaries(tmp_path), 3)
    assert losses(tmp_path) == [(1, 0.1), (2, 0.2), (3, 0.3)]
    (file,) = tmp_path.iterdir()
    last = list(EventFileLoader(str(file)).Load())[-1]
    tags = {value.tag: value for value in last.summary.value}
    assert set(tags) == {"loss", "validation/curves", "validation/attention"}
    width, height, picture = tags["validation/curves"].tensor.string_val
    assert (int(width), int(height)) == (1575, 704)
    assert picture.startswith(b"\x89PNG")


def test_what_a_resumed_run_will_do_again_is_forgotten(tmp_path):
    summaries = Summaries(tmp_path)
    add(summaries, 1, 2, 3)
    summaries.forget_after(2)
    add(summaries, 3)
    assert losses(tmp_path) == [(1, 0.1), (2, 0.2), (3, 0.3)]


@pytest.mark.slow
def test_an_end_that_a_killed_process_half_wrote_hides_nothing(tmp_path):
    summaries = Summaries(tmp_path)
    add(summaries, 1, 2)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1000])
    summaries.forget_after(1)
    add(summaries, 2, 3)
    assert losses(tmp_path) == [(1, 0.1), (2, 0.2), (3, 0.3)]


def test_a_run_that_wrote_nothing_has_nothing_to_forget(tmp_path):
    Summaries(tmp_path / "none").forget_after(3)
    assert not list(tmp_path.iterdir())
