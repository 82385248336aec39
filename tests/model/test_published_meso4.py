"""Meso-4 as its authors published it: their files give their probabilities, real and fake not swapped."""

import h5py
import keras
import numpy as np
import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.backbones import build_backbone
from deepfake_tfdata.model.detector import build_detector, count_parameters
from deepfake_tfdata.model.weights import load_weights_file
from deepfake_tfdata.options import build
from deepfake_tfdata.pixels import view_numbers
from deepfake_tfdata.scoring.load import load_detector
from deepfake_tfdata.training.config import TrainConfig
from tests.model.networks import settle_batch_norm

SIZE = 256


def published_network():
    """The paper's figure 4 and its authors' classifiers.py: from 0..1 to the probability of real."""
    x = inputs = keras.Input((SIZE, SIZE, 3))
    for filters, kernel_size, pool_size in ((8, 3, 2), (8, 5, 2), (16, 5, 2), (16, 5, 4)):
        x = keras.layers.Conv2D(filters, kernel_size, padding="same", activation="relu")(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.MaxPooling2D(pool_size, padding="same")(x)
    x = keras.layers.Dropout(0.5)(keras.layers.Flatten()(x))
    x = keras.layers.LeakyReLU(negative_slope=0.1)(keras.layers.Dense(16)(x))
    return keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(keras.layers.Dropout(0.5)(x)))


def write_published(path, network):
    """Writes weights as Keras 2.1.5 did, which made the authors' files."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"keras_version": b"2.1.5", "backend": b"tensorflow"})
        names = [f"{type(layer).__name__.lower()}_{index}" for index, layer in enumerate(network.layers)]
        file.attrs["layer_names"] = np.array(names, "S")
        for name, layer in zip(names, network.layers, strict=True):
            group = file.create_group(name)
            paths = [f"{name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = np.array(paths, "S")
            for weight_path, array in zip(paths, layer.get_weights(), strict=True):
                group[weight_path] = array
    return path


@pytest.fixture(scope="module")
def frames():
    """Two clips of three frames, [2, 3, 256, 256, 3]: noise of different coarseness and brightness."""
    rng = np.random.default_rng(0)
    sides = (256, 64, 16, 8, 4, 2)
    noise = [rng.integers(0, 256, (side, side, 3), np.uint8) for side in sides]
    return np.stack(
        [np.kron(each, np.ones((SIZE // len(each),) * 2 + (1,), np.uint8)) for each in noise]
    ).reshape(2, 3, SIZE, SIZE, 3)


@pytest.fixture(scope="module")
def published(frames, tmp_path_factory):
    """A network whose random weights tell the frames apart, and its file."""
    keras.utils.set_random_seed(3)
    network = published_network()
    images = frames.reshape(-1, SIZE, SIZE, 3) / np.float32(255)
    settle_batch_norm(network, images)
    path = write_published(tmp_path_factory.mktemp("meso4") / "Meso4_F2F.h5", network)
    return network, path


def detector_of(path, num_frames=3, **kwargs):
    return build_detector("meso4", "published", num_frames, SIZE, path, **kwargs)


def fake_probability(detector, frames):
    return keras.ops.convert_to_numpy(keras.ops.sigmoid(detector(frames)))


def test_a_frame_is_fake_as_much_as_the_published_network_finds_it_not_real(published, frames):
    network, path = published
    real = np.asarray(network(frames.reshape(-1, SIZE, SIZE, 3) / np.float32(255)))[:, 0]
    assert real.min() < 0.45 < 0.55 < real.max()
    single = fake_probability(detector_of(path, 1), frames.reshape(-1, 1, SIZE, SIZE, 3))
    np.testing.assert_allclose(single, 1 - real, atol=1e-5)
    # A clip's is the mean of its frames'.
    clips = fake_probability(detector_of(path), frames)
    np.testing.assert_allclose(clips, 1 - real.reshape(2, 3).mean(axis=1), atol=1e-5)


def test_a_network_sure_of_real_or_of_fake_is_not_swapped(published, frames, tmp_path):
    network, _ = published
    kernel, bias = network.layers[-1].get_weights()
    for name, sure, sign in (("real", 200, -1), ("fake", -200, 1)):
        network.layers[-1].set_weights([kernel, bias + np.float32(sure)])
        logit = np.asarray(detector_of(write_published(tmp_path / f"{name}.h5", network))(frames))
        assert (sign * logit > 150).all()
    network.layers[-1].set_weights([kernel, bias])


def test_the_trunk_alone_is_taken_for_other_heads_and_sizes(published):
    network, path = published
    detector = build_detector("meso4", "attention", 2, 64, path, lstm_units=4)
    stored = [layer for layer in network.layers if layer.weights]
    ours = [layer for layer in detector.get_layer("backbone").layers if layer.weights]
    assert len(ours) == 8
    for layer, theirs in zip(ours, stored, strict=False):
        for a, b in zip(layer.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        if isinstance(layer, keras.layers.BatchNormalization):
            assert layer.epsilon == theirs.epsilon


def test_it_is_saved_and_loaded_as_others_are(published, frames, tmp_path):
    detector = detector_of(published[1])
    detector.save(tmp_path / "model.keras")
    expected = fake_probability(detector, frames)
    for again in (load_detector(tmp_path / "model.keras"), detector_of(tmp_path / "model.keras")):
        np.testing.assert_allclose(fake_probability(again, frames), expected, atol=1e-6)
    assert "deepfake_tfdata" not in detector.to_json()
    # The paper's count of what is trained, and BatchNormalization's statistics.
    assert count_parameters(detector)["trainable"] == 27_977
    view = np.float32([view_numbers((0, 0, SIZE, SIZE), (0, 0, SIZE, SIZE))] * 2)
    native = detector_of(tmp_path / "model.keras", native=True)
    np.testing.assert_allclose(
        fake_probability(native, {"frames": frames, "view": view}), expected, atol=1e-4
    )


def test_half_precision_ends_in_float32(published, frames):
    keras.config.set_dtype_policy("mixed_bfloat16")
    detector = detector_of(published[1])
    assert keras.backend.standardize_dtype(detector(frames).dtype) == "float32"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frame_size": 224}, r"--head=published .*256 pixels, not 224; use --frame_size=256"),
        ({"backbone": "xception"}, r"--head=published .*xception; add --backbone=meso4"),
        ({"regions": ("eyes", "mouth")}, r"--head=published .*one region"),
        ({"weights": "imagenet"}, r"--weights=imagenet .*--weights=none"),
    ],
)
def test_what_it_cannot_be_is_said(arguments, message):
    with pytest.raises(UserError, match=message):
        build_detector(
            **{"backbone": "meso4", "frame_size": SIZE, "weights": "none", **arguments, "head": "published"}
        )


def test_a_file_of_another_network_is_refused(published, tmp_path):
    network, _ = published
    path = write_published(tmp_path / "other.h5", keras.Model(network.input, network.layers[-3].output))
    for backbone in (
        build_backbone("meso4", 64, "none"),
        build_detector("meso4", "published", 1, SIZE, "none"),
    ):
        with pytest.raises(UserError, match=r"other\.h5 does not fit the backbone"):
            load_weights_file(backbone, path)


@pytest.mark.parametrize("flags", [{"freeze_epochs": 1}, {"cache_features": True, "epochs": 0}])
def test_nothing_of_it_can_be_frozen(flags):
    with pytest.raises(UserError, match=r"--head=published .*--freeze_epochs"):
        build(TrainConfig, {"head": "published", "backbone": "meso4", "augment": "none", **flags})


@pytest.mark.slow
def test_no_epochs_save_the_published_network_for_evaluation(published, records, tmp_path, command):
    network, path = published
    flags = ["--backbone=meso4", "--head=published", f"--weights={path}", f"--frame_size={SIZE}"]
    place = [f"--data={records}", f"--workdir={tmp_path}", "--region=full", "--batch_size=2"]
    result = command("train", *flags, *place, "--epochs=0")
    assert result.returncode == 0, result.stderr
    saved = load_detector(tmp_path).get_layer("backbone")
    np.testing.assert_array_equal(saved.get_layer("real").kernel, network.layers[-1].kernel)
    result = command("evaluate", f"--workdir={tmp_path}", "--split=test")
    assert result.returncode == 0, result.stderr
    assert "full/published" in result.stdout
