"""A run scored on what it sees, and on what is left of that after a corruption."""

import keras
import numpy as np
import pytest
from scipy.special import expit

from deepfake_tfdata import build_detector, detector_inputs, load_clips
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluate import EvaluateConfig, report
from deepfake_tfdata.options import flat
from deepfake_tfdata.scoring.run_evaluation import RunScorer
from deepfake_tfdata.training import TrainConfig
from tests.fakes import FRAME_SIZE, NUM_FRAMES
from tests.untrained import write_untrained_run


@pytest.fixture(scope="module")
def run(records, tmp_path_factory):
    """The folder of a run that was never trained, and its detector."""
    folder = tmp_path_factory.mktemp("run")
    keras.utils.set_random_seed(0)
    detector = build_detector("meso4", "control", NUM_FRAMES, FRAME_SIZE, "none", lstm_units=4, native=True)
    write_untrained_run(folder, records, detector, region="full", view="mouth@0.5", head="control")
    return folder, detector


def expected(detector, records, **seen):
    return np.concatenate(
        [
            expit(np.asarray(detector(detector_inputs(features))))
            for features, _ in load_clips(records, "full", "val", 4, **seen)
        ]
    )


def test_a_run_is_scored_on_what_it_saw(run, records):
    found = RunScorer(run[0]).evaluate("val")
    assert found.name == "full.mouth@0.5/control"
    assert found.folder == run[0] / "evaluation" / "val"
    assert found.context["view"] == "mouth@0.5"
    scores = expected(run[1], records, view="mouth@0.5")
    np.testing.assert_allclose(found.predictions.scores, scores, atol=1e-5)
    assert not np.allclose(expected(run[1], records), scores, atol=1e-5)


def test_a_corrupted_split_has_a_folder_and_a_name_of_its_own(run, records, capsys):
    clean, worse = (
        RunScorer(run[0]).evaluate("val"),
        RunScorer(run[0]).evaluate("val", corruption=("codec", 40)),
    )
    assert worse.folder == run[0] / "evaluation" / "val-codec-40"
    assert clean.data != worse.data
    assert worse.metrics["data"]["corruption"] == "codec:40"
    scores = expected(run[1], records, view="mouth@0.5", corruption=("codec", 40))
    np.testing.assert_allclose(worse.predictions.scores, scores, atol=1e-5)
    assert not np.allclose(clean.predictions.scores, scores, atol=1e-5)
    report(worse)
    assert "full.mouth@0.5/control on val-codec-40" in capsys.readouterr().out
    assert not clean.folder.exists()


def test_a_corruption_is_an_option_of_evaluating_alone():
    assert EvaluateConfig("run", corruption="blur:2").corruption == "blur:2"
    with pytest.raises(UserError, match="--corruption=blur:21 has no strength"):
        EvaluateConfig("run", corruption="blur:21")
    assert "corruption" not in flat(TrainConfig())
