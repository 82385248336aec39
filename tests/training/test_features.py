"""Training on the kept features of a frozen backbone."""

import json
import shutil
from contextlib import nullcontext
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector
from deepfake_tfdata.input.dataset import HostShare, detector_inputs, load_clips
from deepfake_tfdata.input.shards import find_shards
from deepfake_tfdata.model.assembly import assemble_detector
from deepfake_tfdata.model.halves import feature_extractor
from deepfake_tfdata.options import build
from deepfake_tfdata.scoring.run_evaluation import RunScorer
from deepfake_tfdata.training import TrainConfig, summaries
from deepfake_tfdata.training import feature_cache as features_module
from deepfake_tfdata.training import train as train_here
from deepfake_tfdata.training.feature_cache import FeatureSplit, load_features
from tests.fakes import FRAME_SIZE, NUM_FRAMES
from tests.training.runs import MIRRORED, SINGLE, train

FROZEN = {"freeze_epochs": 3, "epochs": 3, "augment": "none", "learning_rate": 1e-2}
ONE_HOST = HostShare(0, 1, 4)


def split(count=10):
    features = np.arange(count, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32)
    return FeatureSplit((features,), np.arange(count))


def labels(dataset, batches):
    return [label.numpy().tolist() for _, label in dataset.take(batches)]


def test_batches_are_shuffled_whole_and_resumable():
    options = {"seed": 5, "share": ONE_HOST}
    whole = labels(split().batches(4, first_epoch=0, first_step=0, **options), 6)
    assert all(len({*whole[i], *whole[i + 1]}) == 8 for i in (0, 2, 4))
    assert whole[:2] != whole[2:4]
    assert labels(split().batches(4, first_epoch=1, first_step=1, **options), 3) == whole[3:]
    hosts = [
        labels(split().batches(2, seed=5, first_epoch=0, first_step=0, share=HostShare(i, 2, 4)), 6)
        for i in range(2)
    ]
    assert [sorted(a + b) for a, b in zip(*hosts, strict=True)] == [sorted(batch) for batch in whole]


def test_features_follow_their_labels():
    for (features,), label in split().batches(4, seed=1, first_epoch=0, first_step=0, share=ONE_HOST).take(4):
        tf.debugging.assert_equal(features[:, 0, 0], tf.cast(label, tf.float32))


class KilledError(Exception):
    """Stands for the end of the process."""


def test_a_killed_extraction_goes_on_with_the_missing_files(records, tmp_path, monkeypatch):
    # The 12 clips are in files of 5, 5 and 2.
    monkeypatch.setattr(features_module, "_CLIPS_PER_FILE", 5)
    strategy = tf.distribute.OneDeviceStrategy("/CPU:0")
    keras.utils.set_random_seed(0)
    with strategy.scope():
        detector = build_detector(
            "meso4", "control", NUM_FRAMES, FRAME_SIZE, "none", lstm_units=4, native=True
        )
    shards, passes, done = find_shards(records, "mouth", "train"), [], []

    def batches_of(part):
        passes.append(part.num_clips)
        return load_clips(part, batch_size=4)

    def extract(on_file):
        return load_features(
            detector, shards, "", str(tmp_path), batches_of, strategy, lambda files: nullcontext(on_file)
        )

    def kill_after_the_second(split):
        done.append(split)
        if len(done) == 2:
            raise KilledError

    with pytest.raises(KilledError):
        extract(kill_after_the_second)
    (folder,) = (tmp_path / "features").iterdir()
    first, second = sorted(folder.iterdir())
    first.unlink()
    written = second.stat().st_mtime_ns
    split = extract(lambda note: None)
    # One pass each time, and the second one over what was missing.
    assert passes == [12, 7]
    assert second.stat().st_mtime_ns == written
    ((clips, labels),) = load_clips(shards, batch_size=12)
    np.testing.assert_array_equal(split.labels, labels)
    expected = feature_extractor(detector)(detector_inputs(clips))
    np.testing.assert_allclose(split.features[0], expected, rtol=1e-3, atol=1e-4)


def test_features_are_kept_for_records_view_precision_and_a_backbones_weights(tmp_path, monkeypatch):
    def not_compiled(model, _):
        return lambda frames: lambda: [np.asarray(each) for each in tf.nest.flatten(model([frames]))]

    monkeypatch.setattr(features_module, "make_predict", not_compiled)
    clips = {"frames": np.arange(2 * 2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 2, 4, 4, 3)}
    passes = []

    def batches_of(_):
        passes.append(0)
        return [(clips, tf.constant([0, 1]))]

    def load(kernel=1.0, records="a", digest="c", activation=None, view=""):
        inputs = keras.Input((4, 4, 3), dtype="uint8")
        x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
        features = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(kernel))(x)
        if activation:
            features = activation()(features)
        backbone = keras.Model(inputs, features, name="backbone")
        detector = assemble_detector(backbone, "control", 2, lstm_units=1)
        shards = SimpleNamespace(
            num_clips=2,
            split="train",
            digest=digest,
            regions=("mouth",),
            conversion=SimpleNamespace(identity=records),
            only=list,
        )
        progress = nullcontext(lambda note: None)
        return load_features(detector, shards, view, str(tmp_path), batches_of, None, lambda files: progress)

    def is_computed(**changes):
        before = len(passes)
        load(**changes)
        return len(passes) > before

    assert is_computed()
    changes = [{"kernel": 2.0}, {"records": "b"}, {"digest": "d"}, {"activation": keras.layers.ReLU}]
    changes += [{"view": name} for name in ("whole", "mouth", "mouth_reduced", "mouth@0.5", "mouth@0.7")]
    for change in changes:
        assert is_computed(**change)
    for change in ({}, *changes):
        assert not is_computed(**change)
    np.testing.assert_allclose(load(kernel=2.0).features[0], 2 * load().features[0], rtol=1e-6)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert is_computed()
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def own_records(resized_records, tmp_path_factory):
    """A copy, for features are kept in it."""
    return shutil.copytree(resized_records, tmp_path_factory.mktemp("features") / "records")


@pytest.mark.slow
def test_the_kept_features_train_as_the_frames_do(own_records, tmp_path):
    region = "full,mouth"
    ways = {"direct": SINGLE, "cached": {"cache_features": True, **MIRRORED}}
    direct, cached = train(
        2,
        *(
            {"data": str(own_records), "workdir": str(tmp_path / name), "region": region, **FROZEN, **way}
            for name, way in ways.items()
        ),
    )
    # The order of the clips differs, so that the last epoch agrees and not every step.
    assert cached["history"][-1]["val_loss"] == pytest.approx(direct["history"][-1]["val_loss"], rel=0.05)
    assert cached["history"][-1]["loss"] < cached["history"][0]["loss"]
    assert (direct["replicas"], cached["replicas"]) == (1, 2)
    (folder,) = (own_records / "features").glob(f"{region.replace(',', '-')}-*")
    files = list(folder.iterdir())
    assert files
    assert all(direct["ended"] < path.stat().st_mtime_ns < cached["ended"] for path in files)


@pytest.mark.slow
def test_the_saved_model_is_the_whole_detector(own_records, tmp_path, command):
    flags = ["--backbone=meso4", "--weights=none", "--lstm_units=8", "--batch_size=4", "--epochs=1"]
    flags += [f"--data={own_records}", f"--workdir={tmp_path}", "--cache_features"]
    assert "--augment=none and --freeze_epochs=1" in command("train", *flags).stderr
    result = command("train", *flags, "--augment=none", "--freeze_epochs=1")
    assert result.returncode == 0, result.stderr
    metrics = json.loads((tmp_path / "metrics.jsonl").read_text())
    result = command("evaluate", f"--workdir={tmp_path}", "--split=val")
    evaluated = json.loads((tmp_path / "evaluation" / "val" / "metrics.json").read_text())
    assert evaluated["auc"] == pytest.approx(metrics["val_auc"])


def test_features_are_kept_of_what_the_run_sees(records, tmp_path, monkeypatch):
    asked = []

    def capture(detector, shards, view, *_):
        asked.append(view)
        raise KilledError

    monkeypatch.setattr("deepfake_tfdata.training.run.load_features", capture)
    options = {**FROZEN, **SINGLE, "backbone": "meso4", "weights": "none", "lstm_units": 4, "batch_size": 2}
    options |= {"cache_features": True, "data": str(records), "workdir": str(tmp_path)}
    with pytest.raises(KilledError):
        train_here(build(TrainConfig, {**options, "region": "full", "view": "mouth@0.5"}))
    assert asked == ["mouth@0.5"]


def test_an_extraction_that_is_asked_to_stop_ends_the_run_unfinished(own_records, tmp_path):
    asked = iter([False, True])
    options = {**FROZEN, **SINGLE, "backbone": "meso4", "weights": "none", "lstm_units": 4, "batch_size": 2}
    # What no other test of this file keeps: the extraction begins anew.
    options |= {"cache_features": True, "seed": 77, "data": str(own_records), "workdir": str(tmp_path)}
    outcome = train_here(build(TrainConfig, options), should_stop=lambda: next(asked))
    assert not outcome.finished
    assert not list(tmp_path.rglob("*.npz"))


@pytest.mark.slow
def test_a_fold_trains_on_the_features_of_all_clips_and_scores_its_own_splits(
    own_records, tmp_path, monkeypatch
):
    monkeypatch.setattr(summaries, "_pictures", lambda scores: {})
    options = {**FROZEN, **SINGLE, "backbone": "meso4", "weights": "none", "lstm_units": 4, "epochs": 1}
    options |= {"batch_size": 4, "cache_features": True, "fold": "2/3"}
    options |= {"data": str(own_records), "workdir": str(tmp_path)}
    outcome = train_here(build(TrainConfig, options))
    assert outcome.finished
    assert len(list(own_records.rglob("features/mouth-*/pool-*.npz"))) == 1
    # What the run validated from the features of all clips is what its own val clips give frame by frame.
    validated, tested = (RunScorer(tmp_path).evaluate(split) for split in ("val", "test"))
    assert validated.metrics["log_loss"] == pytest.approx(outcome.validation.metrics["log_loss"], rel=1e-3)
    assert validated.predictions.clip_ids.tolist() == outcome.validation.predictions.clip_ids.tolist()
    assert tested.folder == tmp_path / "evaluation" / "test" and tested.context["fold"] == "2/3"
    assert set(tested.predictions.folds) == {"2/3"} and tested.metrics["coverage"] == 1
    assert not {*tested.predictions.components} & {*validated.predictions.components}
