from dataclasses import replace

import numpy as np
import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.comparison import compare
from deepfake_tfdata.studies.analysis import align, cell_results, contrast_results, left_out, whole_splits


def test_videos_that_a_run_lacks_are_left_out_of_all(make_runs):
    few = [run.select(np.arange(len(run))[::-1][:90]) for run in make_runs(1, first_seed=1)]
    scored = {"a": make_runs(1), "b": few}
    scores = align(scored)
    assert {len(run) for runs in scores.values() for run in runs} == {90}
    keys = [run.video_keys.tolist() for runs in scores.values() for run in runs]
    assert all(each == keys[0] for each in keys)
    assert (left_out(scored), left_out(scores)) == (6, 0)


def test_folds_are_put_together(make_runs):
    runs = make_runs(1, seeds=2)
    folds = [
        [
            replace(run.select(rows), folds=[f"{fold}/3"] * len(rows))
            for fold, rows in enumerate(thirds(run), 1)
        ]
        for run in runs
    ]
    (result,) = cell_results(align(whole_splits({"a": folds})))
    aucs = [np.mean([cell_results({"a": [part]})[0].auc.value for part in parts]) for parts in folds]
    assert result.runs == pytest.approx(aucs)
    with pytest.raises(UserError, match="was scored twice"):
        whole_splits({"a": [[runs[0], runs[1]]]})


def thirds(run):
    """Rows of three groups of pairs."""
    pair = np.array([int(target) // 2 for target in run.target_ids])
    return [np.flatnonzero(pair % 3 == fold) for fold in range(3)]


def test_a_cells_auc_is_the_mean_over_its_runs(make_runs):
    (result,) = cell_results({"a": make_runs(1)})
    assert result.name == "a" and len(result.runs) == 3
    assert result.auc.value == pytest.approx(np.mean(result.runs))


def test_secondary_comparisons_are_adjusted_together_and_others_are_not(make_runs):
    scores = {"a": make_runs(1.6), "b": make_runs(1.0, first_seed=1), "c": make_runs(0.9, first_seed=2)}
    results = contrast_results(scores, ("a", "b"), [("a", "c"), ("b", "c")], [("c", "b")], 0.05)
    assert [each.kind for each in results] == ["primary", "secondary", "secondary", "exploratory"]
    plain = {
        (each.first, each.second): compare(scores[each.first], scores[each.second], 0.05) for each in results
    }
    p = [plain[each.first, each.second].p for each in results]
    found = [each.comparison.p for each in results]
    assert found[0] == p[0] and found[3] == p[3]
    smaller, larger = sorted((1, 2), key=lambda place: p[place])
    assert found[smaller] == pytest.approx(min(1, 2 * p[smaller]))
    assert found[larger] == pytest.approx(max(p[larger], found[smaller]))
    assert all(each.comparison.margin == 0.05 for each in results)
