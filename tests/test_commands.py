"""The commands as a user runs them: what they write, and one clear line for every mistake."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from deepfake_tfdata.records.index import read_index, write_index
from deepfake_tfdata.scoring.applied import file_fingerprint, open_detector
from tests.fakes import NUM_FRAMES, recount
from tests.processes import OPTIMIZE_GRAPHS, run_fresh

SMALL = [
    "--backbone=meso4",
    "--weights=none",
    "--lstm_units=8",
    "--dropout=0",
    "--batch_size=4",
    "--learning_rate=0.003",
    "--deterministic",
]


@pytest.fixture(scope="module")
def workdir(records, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "mouth_attention"
    flags = [f"--data={records}", f"--workdir={folder}", *SMALL, "--epochs=3"]
    result = run_fresh("deepfake_tfdata.train", *flags)
    assert result.returncode == 0, result.stderr
    assert "mouth/attention on val" in result.stdout
    assert f"deepfake_tfdata.evaluate --workdir={folder} --split=test" in result.stdout
    return folder


def evaluation(workdir: Path, split: str = "val") -> dict:
    return json.loads((workdir / "evaluation" / split / "metrics.json").read_text())


def metrics_lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_train_leaves_what_the_contract_says(workdir):
    names = {"config.json", "metrics.jsonl", "checkpoints", "tensorboard", "model.keras", "evaluation"}
    assert {path.name for path in workdir.iterdir()} == names
    lines = metrics_lines(workdir)
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert [line["step"] for line in lines] == [3, 6, 9]
    for key in ("loss", "val_loss", "val_auc", "clips_per_second", "input_wait_fraction"):
        assert all(line[key] >= 0 for line in lines)
    # It ends with the figures of its best epoch, and has not looked at the test split.
    assert [path.name for path in (workdir / "evaluation").iterdir()] == ["val"]
    best = max(lines, key=lambda line: (line["val_auc"], -line["val_loss"]))
    found = evaluation(workdir)
    assert (found["auc"], found["log_loss"]) == pytest.approx((best["val_auc"], best["val_loss"]))
    config = json.loads((workdir / "config.json").read_text())
    assert config["config"]["backbone"] == "meso4"
    assert len(config["spec_hash"]) == 12


@pytest.mark.slow
def test_evaluate_leaves_what_the_contract_says(workdir):
    of_training = evaluation(workdir)
    flags = [f"--workdir={workdir}", "--split=val", "--batch_size=3"]
    result = run_fresh("deepfake_tfdata.evaluate", *flags)
    assert result.returncode == 0, result.stderr
    folder = workdir / "evaluation" / "val"
    names = {"metrics.json", "predictions.csv", "confusion_matrix.png", "roc.png", "report.html"}
    assert {path.name for path in folder.iterdir()} == names
    report = (folder / "report.html").read_text()
    for shown in ("attention", "meso4", "float32", "parameters, head"):
        assert shown in report
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["num_videos"], metrics["coverage"]) == (8, 1.0)
    assert sum(map(sum, metrics["confusion_matrix"])) == 8
    rows = list(csv.DictReader((folder / "predictions.csv").open()))
    assert list(rows[0])[:4] == ["clip_id", "video_id", "label", "score"]
    assert {row["clip_id"] for row in rows} >= {"original/010", "Face2Face/010_011"}
    fake = next(row for row in rows if row["clip_id"] == "Face2Face/010_011")
    assert (fake["target_id"], fake["source_id"]) == ("010", "011")
    assert (
        len({row["component"] for row in rows if {row["target_id"], row["source_id"]} & {"010", "011"}}) == 1
    )
    assert len({row["component"] for row in rows}) == 2
    # What training said of its best epoch is what evaluation finds in the saved model.
    assert metrics["brier"] == pytest.approx(of_training["brier"], rel=1e-3)
    assert metrics["auc"] == of_training["auc"]
    assert {**metrics, **dict.fromkeys(("brier", "log_loss"))} == {
        **of_training,
        **dict.fromkeys(("brier", "log_loss")),
    }


@pytest.mark.slow
def test_other_data_never_stands_where_the_own_stands(workdir, ffpp_tree, records, command, tmp_path):
    """Of the same names, lengths and split, but of another compression."""
    tree = shutil.copytree(ffpp_tree, tmp_path / "tree")
    for folder in [*tree.rglob("c23")]:
        folder.rename(folder.with_name("c40"))
    other = tmp_path / "records"
    flags = [f"--source={tree}", f"--output={other}", "--compression=c40", "--regions=mouth"]
    assert command("convert", *flags, f"--num_frames={NUM_FRAMES}").returncode == 0
    evaluations = workdir / "evaluation"
    result = command("evaluate", f"--workdir={workdir}", "--split=val", f"--data={other}")
    assert result.returncode == 0, result.stderr
    (elsewhere,) = evaluations.glob("val-*")
    own = evaluation(workdir)["data"]
    about = evaluation(workdir, elsewhere.name)["data"]
    assert (own["name"], about["name"]) == ("ffpp c23", "ffpp c40")
    assert own["folder"] == str(records) and about["folder"] == str(other)
    compared = tmp_path / "compared.json"
    result = command(
        "compare", f"--first={elsewhere}", f"--second={evaluations / 'val'}", f"--output={compared}"
    )
    assert "scored on different data" in result.stderr
    assert json.loads(compared.read_text())["data_first"] == f"ffpp c40 ({about['identity']})"
    for text in (result.stdout, compared.with_suffix(".html").read_text()):
        assert f"ffpp c23 ({own['identity']})" in text
    # Nor does training go on with it.
    result = command("train", f"--data={other}", f"--workdir={workdir}", *SMALL, "--epochs=4")
    assert result.returncode == 2
    assert "compression: c23 against c40" in result.stderr


@pytest.mark.slow
def test_a_run_of_three_epochs_is_one_of_two_resumed(workdir, records, command, tmp_path):
    for epochs in (2, 3):
        flags = [f"--data={records}", f"--workdir={tmp_path}", *SMALL, f"--epochs={epochs}"]
        result = command("train", *flags, **{OPTIMIZE_GRAPHS: "1"})  # as the fresh one did
        assert result.returncode == 0, result.stderr
    assert "resumed" in result.stderr
    assert len(list((tmp_path / "tensorboard").glob("*tfevents*"))) == 1
    for line, whole in zip(metrics_lines(tmp_path), metrics_lines(workdir), strict=True):
        assert {key: line[key] for key in ("step", "loss", "val_loss")} == {
            key: whole[key] for key in ("step", "loss", "val_loss")
        }


@pytest.mark.slow
def test_several_regions_of_pairs_are_trained_and_evaluated_together(records, command, tmp_path):
    flags = [f"--data={records}", f"--workdir={tmp_path}", *SMALL, "--epochs=1", "--region=full,mouth"]
    # Of another size than they were converted to.
    result = command("train", *flags, "--share_backbone", "--accumulation=2", "--pairs", "--frame_size=32")
    assert result.returncode == 0, result.stderr
    result = command("evaluate", f"--workdir={tmp_path}", "--split=test")
    assert result.returncode == 0, result.stderr
    assert "full,mouth/attention on test" in result.stdout
    assert (tmp_path / "evaluation" / "test" / "report.html").exists()
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["flops_per_clip"] > 0
    assert config["parameters"]["total"] == sum(
        config["parameters"][part] for part in ("backbone", "temporal", "head")
    )


def truncate(shard: Path) -> None:
    shard.write_bytes(shard.read_bytes()[:-50])


def failing(result) -> str:
    """The one line a mistake is answered with."""
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("error: ")
    return result.stderr


@pytest.mark.parametrize(
    ("name", "flags", "expected"),
    [
        ("convert", ["--source={tmp}/missing", "--output={tmp}/out"], "missing is no directory"),
        ("convert", ["--source={tmp}", "--output={tmp}/out"], "no videos of a known layout"),
        (
            "convert",
            ["--source={tmp}", "--output={tmp}/out", "--layout=nope"],
            "--layout=nope is unknown",
        ),
        (
            "convert",
            ["--source={tree}", "--output={tmp}/out", "--regions=ears"],
            "unknown region 'ears'",
        ),
        (
            "convert",
            ["--source={tree}", "--output={tmp}/out", "--regions=eyes,eyes"],
            "has eyes 2 times",
        ),
        ("convert", ["--source={tree}", f"--output={{tmp}}/{'x' * 300}"], "File name too long"),
        ("convert", [f"--source={{tmp}}/{'x' * 300}", "--output={tmp}/out"], "File name too long"),
        (
            "convert",
            ["--source={tree}", "--output={tmp}/out", "--compression=raw"],
            "no raw videos",
        ),
        ("convert", ["--source={tree}", "--output={tmp}/out", "--workers=0"], "--workers=0"),
        (
            "convert",
            ["--source={tree}", "--output={tmp}/out", "--manipulations=Nope"],
            "unknown manipulation 'Nope'",
        ),
        (
            "convert",
            ["--source={tree}", "--output={tmp}/out", "--strict_split"],
            "--conversion_dict=FILE",
        ),
        ("convert", ["--source={tree}", "--output={records}"], "different clip specs"),
        ("convert", ["--output={tmp}/out"], "--source is missing"),
        ("convert", ["--source={tree}", "--nonsense=1"], "nonsense"),
        ("train", ["--data={tmp}"], "python -m deepfake_tfdata.convert"),
        ("train", ["--data={tmp}", "--augment=blurr"], "unknown augmentation 'blurr'"),
        ("train", ["--data={records}", "--region=nose"], "no region 'nose'"),
        (
            "train",
            ["--data={records}", "--head=nope", "--weights=none", "--batch_size=4"],
            "--head=nope is unknown",
        ),
        ("train", ["--data={records}", "--backbone=nope", "--weights=none", "--batch_size=4"], "nope"),
        ("train", ["--data={records}", "--epochs=many"], "many"),
        pytest.param(
            "train",
            ["--data={records}", "--workdir={workdir}", "--head=control", *SMALL],
            "--head=attention, not",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "train",
            ["--data={other}", "--workdir={workdir}", *SMALL],
            "different clip specs",
            marks=pytest.mark.slow,
        ),
        ("train", ["--data={damaged}", *SMALL], "is truncated"),
        ("train", ["--data={records}", "--batch_size=500", *SMALL[:2]], "--batch_size=500 exceeds"),
        ("train", ["--data={records}", "--seed=-1"], "--seed=-1 is out of range"),
        (
            "train",
            ["--data={records}", "--profile_steps=50,52", "--epochs=2", *SMALL],
            "after the run's 6 steps",
        ),
        ("evaluate", ["--workdir={tmp}"], "no trained model"),
        ("evaluate", ["--workdir={tmp}", "--batch_size=-1"], "--batch_size=-1 is out of range"),
        ("evaluate", ["--workdir={tmp}", "--split=dev"], "--split=dev is unknown; choose from train"),
        pytest.param(
            "evaluate",
            ["--workdir={workdir}", "--data={other}"],
            "min_found: 0.5 against 0.25",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_mistake_is_answered_in_one_line(name, flags, expected, places, command):
    assert expected in failing(command(name, *(flag.format_map(places) for flag in flags)))


class Places(dict):
    """Folders by the names of their fixtures, or the short ones here, made when they are asked for."""

    SHORT = MappingProxyType(
        {"tmp": "tmp_path", "tree": "ffpp_tree", "other": "other_records", "damaged": "damaged_records"}
    )

    def __init__(self, request):
        self._request = request

    def __missing__(self, name):
        return self._request.getfixturevalue(self.SHORT.get(name, name))


@pytest.fixture
def places(request):
    return Places(request)


@pytest.fixture(scope="module")
def damaged_records(records, tmp_path_factory):
    copy = tmp_path_factory.mktemp("damaged") / "records"
    shutil.copytree(records, copy)
    truncate(next((copy / "mouth").glob("*-train.tfrecord-*")))
    return copy


@pytest.mark.slow
def test_imagenet_weights_without_a_network_name_the_way_out(records, tmp_path):
    # An empty cache and a proxy that refuses stand for a machine without a network.
    environment = {"KERAS_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    flags = [
        f"--data={records}",
        f"--workdir={tmp_path / 'run'}",
        "--backbone=efficientnet_b0",
        "--batch_size=4",
    ]
    line = failing(run_fresh("deepfake_tfdata.train", *flags, **environment))
    assert "--weights=none" in line
    assert "--weights=FILE" in line


@pytest.mark.parametrize("name", ["convert", "train", "evaluate"])
def test_help_lists_the_flags_with_their_defaults(name):
    result = run_fresh(f"deepfake_tfdata.{name}", "--help")
    assert result.returncode == 0
    assert f"python -m deepfake_tfdata.{name}" in result.stdout
    assert "default: " in result.stdout


def without_test_split(records: Path) -> None:
    """Leaves the mouths of two splits, as of a data set without a test split."""
    folder = records / "mouth"
    write_index(folder, [clip for clip in read_index(folder) if clip.split != "test"])
    for shard in folder.glob("*-test.tfrecord-*"):
        shard.unlink()
    recount(records, "test", shards=0, videos=0, real=0, fake=0, planned={"real": {}, "fake": {}})


def two_clips_a_video(records: Path) -> None:
    """Calls the mouths of two videos of val that follow each other in their class clips of one."""
    clips = read_index(records / "mouth")
    for label in (0, 1):
        members = [place for place, clip in enumerate(clips) if (clip.split, clip.label) == ("val", label)]
        for first, second in zip(members[::2], members[1::2], strict=True):
            names = ("video_id", "target_id", "source_id", "component")
            of_first = {name: getattr(clips[first], name) for name in names}
            clips[second] = replace(clips[second], **of_first)
    write_index(records / "mouth", clips)


@pytest.mark.slow
def test_damaged_clips_are_counted_or_end_the_run(records, command, tmp_path):
    copy = tmp_path / "records"
    shutil.copytree(records, copy)
    shard = next((copy / "mouth").glob("*-train.tfrecord-*"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    without_test_split(copy)
    flags = [f"--data={copy}", f"--workdir={tmp_path / 'run'}", *SMALL, "--epochs=1"]
    result = command("train", *flags)
    assert result.returncode == 2
    line = result.stderr.splitlines()[-1]
    assert f"{shard.name} is damaged at byte" in line
    assert "--skip_corrupt" in line
    # A balanced run is to be seen as well, and what it says of videos with several clips.
    two_clips_a_video(copy)
    flags += ["--skip_corrupt", f"--workdir={tmp_path / 'skipped'}", "--balance=class"]
    result = command("train", *flags)
    assert result.returncode == 0, result.stderr
    assert "1 of 12 train clips are damaged and left out" in result.stderr
    (line,) = metrics_lines(tmp_path / "skipped")
    assert line["skipped_clips"] == 1
    found = evaluation(tmp_path / "skipped")
    assert (found["num_clips"], found["num_videos"], found["coverage"]) == (8, 4, 0.5)
    assert (found["auc"], found["log_loss"]) == pytest.approx((line["val_auc"], line["val_loss"]))
    result = command("evaluate", f"--workdir={tmp_path / 'skipped'}", "--split=test")
    assert "the test split of" in failing(result) and "is empty" in result.stderr


@pytest.mark.slow
def test_export_gives_a_trained_run_to_other_programs_once(workdir, command, tmp_path):
    pytest.importorskip("ai_edge_litert")
    flags = [f"--workdir={workdir}", "--format=litert", f"--output={tmp_path / 'export'}"]
    result = command("export", *flags)
    assert result.returncode == 0, result.stderr
    assert f"wrote {tmp_path}/export/detector.tflite" in result.stdout
    assert "4 clips score as in Keras, to" in result.stdout
    assert "no calibration went along" in result.stderr and "XNNPACK" not in result.stderr
    names = {"detector.tflite", "export.json", "parity.json", "clips"}
    assert {path.name for path in (tmp_path / "export").iterdir()} == names
    found = open_detector(tmp_path / "export")
    assert (found.name, found.fingerprint) == (
        "mouth/attention",
        file_fingerprint(workdir / "model.keras"),
    )
    assert [path.name for path in tmp_path.iterdir()] == ["export"]
    again = command("export", *flags)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "is there already" in again.stderr
