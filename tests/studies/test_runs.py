from pathlib import Path

from deepfake_tfdata.options import build
from deepfake_tfdata.studies.cells import cells_of
from deepfake_tfdata.studies.options import StudyConfig
from deepfake_tfdata.studies.runs import runs_of


def study(**flags):
    config = build(
        StudyConfig, {"regions": ("full", "full.mouth"), "heads": ("control",), "seeds": 2, **flags}
    )
    return config, runs_of(config, cells_of(config.study))


def test_every_cell_gets_every_seed_and_all_else_is_alike():
    _, runs = study(workdir="w", epochs=7, dropout=0.1, batch_size=4)
    assert [run.name for run in runs] == [
        "full/control, seed 0",
        "full.mouth/control, seed 0",
        "full/control, seed 1",
        "full.mouth/control, seed 1",
    ]
    for run in runs:
        options = run.config
        assert (options.input.region, options.input.view) == (run.cell.region, run.cell.view)
        assert (options.model.head, options.devices.seed) == ("control", run.seed)
        assert (options.loop.epochs, options.model.dropout, options.input.batch_size) == (7, 0.1, 4)
    folders = [str(run.config.folder) for run in runs]
    assert folders[1] == "w/runs/full.mouth_control/seed-0" and len(set(folders)) == 4


def test_every_seed_has_all_folds():
    _, runs = study(workdir="w", folds=3, regions=("mouth",), primary="x:y")
    assert [run.fold for run in runs] == ["1/3", "2/3", "3/3"] * 2
    assert runs[4].config.input.fold == "2/3"
    assert runs[4].config.folder == Path("w/runs/mouth_control/seed-1-fold-2")
    assert runs[4].name == "mouth/control, seed 1, fold 2/3"
