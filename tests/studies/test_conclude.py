"""What a study concludes from the scores of trainings that only pretend: only the square mouth sees more."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.evaluation.comparison import compare
from deepfake_tfdata.evaluation.evaluations import read_evaluation
from deepfake_tfdata.input.corruptions import CORRUPTIONS
from deepfake_tfdata.records.ledger import LedgerEntry
from deepfake_tfdata.reports.study_page import write_study
from deepfake_tfdata.studies import conclude as conclude_module
from deepfake_tfdata.studies.conclude import conclude
from tests.fakes import FRAME_SIZE


def test_arms_are_compared_step_by_step(study, trainings, tmp_path):
    conducted = study(retentions=("0.5",), robustness=False, margin=0.03, seeds=3)
    result, contrasts = conclude(conducted)
    names = [
        f"full.{view}/control" for view in ("whole", "mouth_only", "mouth_reduced", "mouth", "mouth@0.5")
    ]
    assert [cell["name"] for cell in result.cells] == names
    primary = result.comparisons[0]
    assert (primary["first"], primary["second"], primary["verdict"]) == (names[3], names[2], "better")
    # The figures are compare's, on the files that the runs left.
    runs = tmp_path / "study" / "runs"
    scores = [
        [
            read_evaluation(runs / cell / f"seed-{seed}" / "evaluation" / "test").predictions
            for seed in range(3)
        ]
        for cell in ("full.mouth_control", "full.mouth_reduced_control")
    ]
    expected = compare(*scores, margin=0.03)
    assert primary["difference"] == pytest.approx(expected.difference.value)
    assert (primary["p"], primary["margin"]) == (pytest.approx(expected.p), 0.03)
    assert [each["kind"] for each in result.comparisons] == [
        "primary",
        *["secondary"] * 3,
        *["exploratory"] * 2,
    ]
    steps = {step["step"]: step["value"] for step in result.decomposition}
    assert steps.pop("all together") == pytest.approx(sum(steps.values()))
    assert steps["information"] == pytest.approx(primary["difference"])
    assert [point["retention"] for point in result.curve] == [0.5, 1.0]
    assert result.curve[1]["auc"] == result.cells[3]["auc"]
    assert result.verdict.startswith(
        "With the pixels of the mouth that a resized whole face loses fakes are told"
    )
    assert contrasts[0].comparison.verdict == "better"
    write_study(tmp_path / "page", json.loads(json.dumps(asdict(result), allow_nan=False)))


def test_videos_that_a_cell_lacks_are_left_out_of_all_and_told(study, trainings):
    trainings.misses_a_video = "mouth_only"
    result, _ = conclude(study(seeds=1, robustness=False))
    assert result.comparisons[0]["num_videos"] == 95
    assert any(note.startswith("1 video(s) that not all runs scored are left out") for note in result.notes)


def test_folds_are_put_together_by_seed(study, trainings):
    conducted = study(folds=3, robustness=False)
    assert sum(call.startswith("train") for call in trainings.calls) == 4 * 2 * 3
    result, _ = conclude(conducted)
    assert all(len(cell["runs"]) == 2 for cell in result.cells)
    assert result.comparisons[0]["num_videos"] == 96
    assert any("the 3 folds' detectors share" in note for note in result.notes)


def test_the_primarys_cells_are_scored_on_worse_clips_and_others_are_not(study, trainings):
    result, _ = conclude(study(seeds=1))
    scored = {call.split(" ")[1] for call in trainings.calls if call.startswith("test-")}
    assert scored == {"full.mouth_control/seed-0", "full.mouth_reduced_control/seed-0"}
    for name, strengths in CORRUPTIONS.items():
        found = [row["strength"] for row in result.robustness if row["corruption"] == name]
        clean = [] if strengths.neutral is None else [strengths.neutral]
        assert found == sorted([*strengths.standard, *clean] * 2)
    assert {row["unit"] for row in result.robustness} == {each.unit for each in CORRUPTIONS.values()}


def test_a_ledger_without_sizes_leaves_what_is_seen_unknown(study, trainings, monkeypatch):
    monkeypatch.setattr(conclude_module, "read_ledger", lambda folder: {})
    result, _ = conclude(study(seeds=1, robustness=False))
    assert all(cell["density"] is None and cell["coverage"] == 1 for cell in result.cells)
    assert result.dose == [] and not np.isnan([cell["auc"] for cell in result.cells]).any()
    assert all(row["value"] is None for row in result.nuisances)


@pytest.mark.parametrize(
    ("margin", "primary", "share", "has_placebo"),
    [
        (0.0, "", "50%", True),
        (0.25, "", "0%", False),  # half as much again: the crop is larger than the input
        (0.0, "full.mouth/control:full.whole/control", "50%", False),  # these differ in any face
    ],
)
def test_faces_no_larger_than_the_input_are_the_placebo(
    study, trainings, make_runs, monkeypatch, margin, primary, share, has_placebo
):
    keys = make_runs(1.0)[0].video_keys.tolist()
    entries = {
        key: LedgerEntry(
            key, "ok", "", 1, 0.0, faces=FaceStatistics(face_size=40.0 if place % 4 < 2 else 90.0)
        )
        for place, key in enumerate(keys)
    }
    monkeypatch.setattr(conclude_module, "read_ledger", lambda folder: entries)
    conducted = study(seeds=1, robustness=False, primary=primary)
    spec = {**conducted.conversion.spec, "margin": margin}
    conducted = replace(conducted, conversion=replace(conducted.conversion, spec=spec))
    result, _ = conclude(conducted)
    assert any(
        f"{share} of the test videos have faces of at most {FRAME_SIZE}" in note for note in result.notes
    )
    assert any("among these both see the same" in note for note in result.notes) == has_placebo
