"""Clips at hand get the scores that the run gives their records."""

import keras
import numpy as np
import pytest
from scipy.special import logit

from deepfake_tfdata import build_detector, load_clips
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.pixels import view_numbers
from deepfake_tfdata.scoring.applied import in_batches, open_detector
from deepfake_tfdata.scoring.run_evaluation import RunScorer
from tests.fakes import FRAME_SIZE, NUM_FRAMES
from tests.untrained import sharpened, write_untrained_run

REGIONS = ("full", "mouth")


@pytest.fixture(scope="module")
def run(records, tmp_path_factory):
    """Of two regions, native, with attention."""
    keras.utils.set_random_seed(0)
    detector = build_detector(
        "meso4", "attention", NUM_FRAMES, FRAME_SIZE, "none", lstm_units=4, regions=REGIONS, native=True
    )
    folder = tmp_path_factory.mktemp("applied")
    return write_untrained_run(folder, records, sharpened(detector), region="full,mouth", head="attention")


def native_clips(records):
    """Of val, in order, each of the size that it has in its video."""
    clips = []
    for features, _ in load_clips(records, REGIONS, "val", 1):
        sizes = {r: (int(features["height"][r][0]), int(features["width"][r][0])) for r in REGIONS}
        clips.append({r: features["frames"][r][0, :, :h, :w].numpy() for r, (h, w) in sizes.items()})
    return clips


def test_a_run_scores_clips_of_several_sizes_as_it_scores_their_records(run, records):
    clips = native_clips(records)
    assert len({clip["mouth"].shape for clip in clips}) > 1
    detector, expected = open_detector(run), RunScorer(run).evaluate("val").predictions
    assert (detector.name, detector.regions, detector.head) == ("full,mouth/attention", REGIONS, "attention")
    assert detector.calibration is None and len(detector.fingerprint) == 64
    found = detector.score(clips)
    assert np.ptp(found.logits) > 0.1
    np.testing.assert_allclose(found.logits, logit(expected.scores), atol=1e-5)
    np.testing.assert_allclose(found.attention, expected.attention, atol=1e-5)
    np.testing.assert_allclose(found.attention.sum(axis=1), 1, atol=1e-5)
    assert detector.score([]).logits.shape == (0,)


def test_an_explanation_says_where_in_the_clip_it_looked(run, records):
    clip = native_clips(records)[0]
    explanation = open_detector(run).explain(clip)
    height, width = clip["full"].shape[1:3]
    assert explanation.view.tolist() == view_numbers((0, 0, height, width), (0, 0, height, width))
    assert explanation.seen.shape == (2, NUM_FRAMES, FRAME_SIZE, FRAME_SIZE, 3)


def test_scoring_asks_before_every_few_clips_whether_it_is_to_go_on(run, records):
    asked = []
    open_detector(run).score(native_clips(records)[:6], lambda: asked.append(None))
    assert len(asked) == 2
    with pytest.raises(KeyError):
        open_detector(run).score(native_clips(records)[:1], lambda: {}["enough"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda clip: {"full": clip["full"]}, "clip 1 has no region mouth"),
        (
            lambda clip: {**clip, "mouth": clip["mouth"][1:]},
            r"mouth of clip 1 is uint8 \[3, .*use uint8 \[4, H, W, 3\]",
        ),
        (lambda clip: {**clip, "full": clip["full"] / 255}, "full of clip 1 is float"),
    ],
)
def test_what_is_no_clip_of_the_detector_is_refused(run, records, change, message):
    first, second, *_ = native_clips(records)
    with pytest.raises(ValueError, match=message):
        open_detector(run).score([first, change(second)])


def test_batches_are_bounded_and_hold_every_clip_once():
    clips = [{"full": np.zeros((1, side, side, 3), np.uint8)} for side in (5, 3, 5, 3, 5, 5, 5)]
    assert list(in_batches(clips, ["full"], 4, same_size=True)) == [[1, 3], [0, 2, 4], [5, 6]]
    assert list(in_batches(clips, ["full"], 4, same_size=False)) == [[1, 3, 0, 2], [4, 5, 6]]


def test_a_folder_without_a_detector_says_what_to_name(tmp_path):
    with pytest.raises(UserError, match=f"no detector in {tmp_path}; name the --workdir of"):
        open_detector(tmp_path)
