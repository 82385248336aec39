"""Checkpoints of PyTorch's become weights files that compute the same."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.backbones import build_backbone
from tests.tools.torch_peer import TORCH_PYTHON
from tools.import_weights import __main__ as command
from tools.import_weights.check import exact_size, make_images
from tools.import_weights.checkpoint import read_checkpoint
from tools.import_weights.convert import import_tensors
from tools.import_weights.naming import efficientnet_pytorch, timm_efficientnet, xception
from tools.import_weights.original import HALF, IMAGENET_MEAN, IMAGENET_STDDEV, find_original

SIZE = 33


def randomized(backbone: keras.Model) -> keras.Model:
    random = np.random.default_rng(0)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(random.uniform(0.7, 1.4, layer.gamma.shape))
            layer.beta.assign(random.normal(0, 0.1, layer.beta.shape))
            layer.moving_mean.assign(random.normal(0, 0.1, layer.beta.shape))
            layer.moving_variance.assign(random.uniform(1e-4, 1.5, layer.beta.shape))
    return backbone


@pytest.fixture(scope="module")
def backbone():
    return randomized(build_backbone("efficientnet_b0", SIZE, "none"))


@pytest.fixture(scope="module")
def target():
    return build_backbone("efficientnet_b0", SIZE, "none")


def blank(backbone: keras.Model) -> None:
    for weight in backbone.weights:
        weight.assign(np.full(weight.shape, -1))


def normalization(backbone: keras.Model) -> keras.layers.Normalization:
    return next(each for each in backbone.layers if isinstance(each, keras.layers.Normalization))


def assert_same_weights(imported: keras.Model, backbone: keras.Model) -> None:
    for layer, expected in zip(imported.layers, backbone.layers, strict=True):
        if not isinstance(layer, keras.layers.Normalization):
            for ours, theirs in zip(layer.weights, expected.weights, strict=True):
                np.testing.assert_array_equal(ours, theirs, ours.path)


def torch_tensors(backbone: keras.Model, modules: dict[str, str], prefix: str = "") -> dict[str, np.ndarray]:
    """A backbone's weights in PyTorch's layout under the names of those modules."""
    found = {}
    for layer in backbone.layers:
        if layer.name not in modules:
            continue
        module = prefix + modules[layer.name]
        if isinstance(layer, keras.layers.BatchNormalization):
            names = ("weight", "bias", "running_mean", "running_var")
            weights = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
            found |= {f"{module}.{name}": np.array(each) for name, each in zip(names, weights, strict=True)}
            found[f"{module}.num_batches_tracked"] = np.array(7)
        elif isinstance(layer, keras.layers.SeparableConv2D):
            found[f"{module}.conv1.weight"] = np.moveaxis(np.array(layer.depthwise_kernel), (2, 3), (0, 1))
            found[f"{module}.pointwise.weight"] = np.array(layer.pointwise_kernel)[0, 0].T
        else:
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            axes = ((2, 3), (0, 1)) if depthwise else ((3, 2), (0, 1))
            found[f"{module}.weight"] = np.moveaxis(np.array(layer.kernel), *axes)
            if layer.use_bias:
                found[f"{module}.bias"] = np.array(layer.bias)
    return found


def names_of(backbone: keras.Model) -> list[str]:
    return [layer.name for layer in backbone.layers if layer.weights]


def original_of(tensors, backbone="efficientnet_b0", network="", path="a.pth"):
    return find_original(tensors, backbone, network, Path(path))


def test_weights_come_back_under_every_familys_names(backbone, target):
    # Epsilons are the same: what is imported is what was exported, number by number.
    layers = names_of(backbone)
    luke = efficientnet_pytorch(layers)
    for tensors, network, family, heads in (
        (
            torch_tensors(backbone, timm_efficientnet(layers)),
            "tf_efficientnet_b0",
            "timm",
            ["classifier.weight"],
        ),
        (torch_tensors(backbone, luke, "module."), "", "efficientnet_pytorch", ["module._fc.bias"]),
        (
            torch_tensors(backbone, luke, "backbone.efficientnet."),
            "",
            "deepfakebench",
            ["backbone.last_layer.weight", "backbone.adjust_channel.0.bias"],
        ),
    ):
        tensors |= dict.fromkeys(heads, np.zeros(2))
        original = original_of(tensors, network=network)
        assert original.family == family
        blank(target)
        assert import_tensors(tensors, original, target) == heads
        assert_same_weights(target, backbone)
        mean, stddev = (HALF, HALF) if family == "deepfakebench" else (IMAGENET_MEAN, IMAGENET_STDDEV)
        np.testing.assert_allclose(np.ravel(normalization(target).adapt_mean), mean, rtol=1e-6)
        np.testing.assert_allclose(
            np.ravel(normalization(target).adapt_variance), np.square(stddev), rtol=1e-6
        )


def test_another_epsilon_makes_no_difference(backbone, target, monkeypatch):
    # With PyTorch's 1e-5 a variance of 1e-4 divides by a third of what it does with 1e-3.
    images = make_images(SIZE)[:2]
    tensors = torch_tensors(backbone, timm_efficientnet(names_of(backbone)))
    import_tensors(tensors, original_of(tensors, network="efficientnet_b0"), target)
    ours = np.array(target(images, training=False))
    as_exported = np.array(backbone(images, training=False))
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            monkeypatch.setattr(layer, "epsilon", 1e-5)
    expected = np.array(backbone(images, training=False))
    np.testing.assert_allclose(ours, expected, atol=1e-4 * abs(expected).max())
    assert abs(as_exported - expected).max() > 0.1 * abs(expected).max()  # or the test would say nothing


def test_xception_comes_back():
    backbone = randomized(build_backbone("xception", 71, "none"))
    tensors = torch_tensors(backbone, xception(names_of(backbone)), "backbone.")
    tensors["backbone.last_linear.1.weight"] = np.zeros(2)
    original = original_of(tensors, "xception")
    assert (original.network, original.mean, original.stddev) == ("legacy_xception", HALF, HALF)
    expected = backbone.get_weights()
    blank(backbone)
    assert import_tensors(tensors, replace(original, epsilon=1e-3), backbone) == [
        "backbone.last_linear.1.weight"
    ]
    for ours, theirs in zip(backbone.weights, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs, ours.path)


def test_names_are_those_of_the_families():
    # Read off the networks themselves.
    layers = [
        "stem_conv",
        "block1a_bn",
        "block1a_project_conv",
        "block2a_se_expand",
        "block2b_bn",
        "block3a_dwconv",
    ]
    timm = timm_efficientnet(layers)
    assert timm["block1a_project_conv"] == "blocks.0.0.conv_pw"
    assert timm["block1a_bn"] == "blocks.0.0.bn1"
    assert timm["block2b_bn"] == "blocks.1.1.bn2"
    assert timm["block2a_se_expand"] == "blocks.1.0.se.conv_expand"
    luke = efficientnet_pytorch(layers)
    assert luke["block2b_bn"] == "_blocks.2._bn1"
    assert luke["block3a_dwconv"] == "_blocks.3._depthwise_conv"
    names = [
        f"block{block}_sepconv{number}{end}"
        for block in range(2, 14)
        for number in (1, 2)
        for end in ("", "_bn")
    ]
    sides = ["conv2d_7", "conv2d_8", "conv2d_9", "conv2d_10"]
    modules = xception([*names, *sides, *(each.replace("conv2d", "batch_normalization") for each in sides)])
    assert modules["block2_sepconv2"] == "block1.rep.3"
    assert modules["block3_sepconv1_bn"] == "block2.rep.2"
    assert modules["block13_sepconv2"] == "block12.rep.4"
    assert modules["block14_sepconv2_bn"] == "bn4"
    assert modules["conv2d_10"] == "block12.skip"
    assert modules["batch_normalization_8"] == "block2.skipbn"


def test_what_does_not_fit_is_named(backbone, target):
    tensors = torch_tensors(backbone, timm_efficientnet(names_of(backbone)))
    original = original_of(tensors, network="efficientnet_b0")
    missing = {name: each for name, each in tensors.items() if name != "blocks.2.1.bn3.bias"}
    with pytest.raises(UserError, match=r"no blocks\.2\.1\.bn3\.bias; is it of another --backbone"):
        import_tensors(missing, original, target)
    with pytest.raises(
        UserError, match=r"nothing is known of the checkpoint's blocks\.9\.0\.x and 0 tensors more"
    ):
        import_tensors({**tensors, "blocks.9.0.x": np.zeros(1)}, original, target)
    wrong = {**tensors, "conv_head.weight": np.zeros((1280, 321, 1, 1))}
    with pytest.raises(UserError, match=r"conv_head is \[1, 1, 321, 1280\]"):
        import_tensors(wrong, original, target)


def test_networks_of_one_naming_are_told_apart_or_asked_for():
    names = ["conv_stem.weight"]
    with pytest.raises(UserError, match="say which with --network"):
        original_of(names)
    assert original_of(names, path="tf_efficientnet_b0_ns.pth").network == "tf_efficientnet_b0"
    assert original_of(names, path="timm/tf_efficientnet_b0.in1k/model.safetensors").epsilon == 1e-3
    assert original_of(names, path="efficientnet_b0.pth").epsilon == 1e-5
    assert original_of(names, network="efficientnet_b0", path="tf_efficientnet_b0.pth").epsilon == 1e-5
    for arguments, message in (
        ({"network": "efficientnet_b1"}, "--network=efficientnet_b1 is not --backbone=efficientnet_b0"),
        ({"backbone": "meso4"}, "--backbone=meso4 can't be imported"),
        ({"backbone": "xception"}, "of no known network for --backbone=xception"),
    ):
        with pytest.raises(UserError, match=message):
            original_of(names, **arguments)
    with pytest.raises(UserError, match="--network=x is not needed"):
        original_of(["_conv_stem.weight"], network="x")


def write_safetensors(path: Path, tensors: dict[str, tuple[str, np.ndarray]]) -> None:
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, array) in tensors.items():
        end = len(data) + array.nbytes
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), end]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_safetensors_are_read(tmp_path):
    values = np.array([[1.5, -2], [0.25, 3]], np.float32)
    upper = (values.view(np.uint32) >> 16).astype(np.uint16)
    write_safetensors(
        tmp_path / "a.safetensors",
        {"a": ("F32", values), "b": ("BF16", upper), "c": ("F16", values.astype(np.float16))},
    )
    found = read_checkpoint(tmp_path / "a.safetensors")
    assert list(found) == ["a", "b", "c"]
    for array in found.values():
        np.testing.assert_array_equal(array, values)
    (tmp_path / "b.safetensors").write_bytes(b"\x05\0\0\0\0\0\0\0hello")
    with pytest.raises(UserError, match=r"b\.safetensors can't be read as safetensors"):
        read_checkpoint(tmp_path / "b.safetensors")
    with pytest.raises(UserError, match="does not exist"):
        read_checkpoint(tmp_path / "c.pth")


def export(path: Path, backbone: keras.Model) -> Path:
    tensors = torch_tensors(backbone, timm_efficientnet(names_of(backbone)))
    floats = {name: ("F32", each) for name, each in tensors.items() if each.dtype == np.float32}
    write_safetensors(path, floats)
    return path


def test_without_torch_it_asks_before_it_writes(backbone, target, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "build_backbone", lambda *arguments: target)
    checkpoint = export(tmp_path / "tf_efficientnet_b0.safetensors", backbone)
    output = tmp_path / "new" / "b0.weights.h5"
    arguments = [f"--checkpoint={checkpoint}", "--backbone=efficientnet_b0", f"--output={output}"]
    missing = f"--torch_python={tmp_path / 'no_python'}"
    with pytest.raises(SystemExit) as stopped:
        command.main([*arguments, missing])
    assert stopped.value.code == 2
    assert "can't be run" in capsys.readouterr().err
    assert not output.exists()
    command.main([*arguments, missing, "--unchecked", "--mean=.5,.5,.5"])
    assert "unchecked" in capsys.readouterr().out
    loaded = build_backbone("efficientnet_b0", SIZE, output)
    np.testing.assert_allclose(np.ravel(normalization(loaded).adapt_mean), HALF)
    with pytest.raises(SystemExit):
        command.main([*arguments[:2], "--output=b0.h5"])
    assert "must end in .weights.h5" in capsys.readouterr().err


def test_features_that_differ_leave_no_file(backbone, target, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "build_backbone", lambda *arguments: target)
    checkpoint = export(tmp_path / "tf_efficientnet_b0.safetensors", backbone)
    monkeypatch.setattr(command, "torch_python", lambda given, modules: Path(sys.executable))
    differences = iter([1e-6, 0.03, float("nan")])
    monkeypatch.setattr(command, "feature_difference", lambda *arguments: next(differences))
    arguments = [
        f"--checkpoint={checkpoint}",
        "--backbone=efficientnet_b0",
        f"--output={tmp_path}/a.weights.h5",
    ]
    command.main(arguments)
    assert "at 224 pixels tf_efficientnet_b0 pads otherwise" in capsys.readouterr().out
    (tmp_path / "a.weights.h5").unlink()
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert "are not those of tf_efficientnet_b0" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.h5"))


def test_at_the_exact_size_every_stride_starts_from_an_odd_side():
    for backbone, halvings in (("efficientnet_b0", 5), ("xception", 4)):
        side = exact_size(backbone)
        if backbone == "xception":
            side = (side - 3) // 2 + 1 - 2
        for _ in range(halvings):
            assert side % 2
            side = (side + 1) // 2


MAKE = """
import sys, torch
name, output = sys.argv[1:]
torch.manual_seed(0)
if name == "deepfakebench":
    from efficientnet_pytorch import EfficientNet
    network = torch.nn.Module()
    network.backbone = torch.nn.Module()
    network.backbone.efficientnet = EfficientNet.from_name("efficientnet-b0", include_top=False)
    network.backbone.last_layer = torch.nn.Linear(4, 2)
else:
    import timm
    network = timm.create_model(name)
for module in network.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        module.running_mean.normal_(0, .1)
        module.running_var.uniform_(.01, 1.5)
        module.weight.data.uniform_(.7, 1.4)
        module.bias.data.normal_(0, .1)
torch.save(network.state_dict(), output)
"""


@pytest.mark.slow
@pytest.mark.skipif(TORCH_PYTHON is None, reason="no PyTorch with timm and efficientnet_pytorch")
@pytest.mark.parametrize("network", ["efficientnet_b0", "legacy_xception", "deepfakebench"])
def test_features_are_those_of_the_original(network, tmp_path, capsys):
    checkpoint = tmp_path / f"{network}.pth"
    subprocess.run([TORCH_PYTHON, "-c", MAKE, network, checkpoint], check=True)
    backbone = "xception" if network == "legacy_xception" else "efficientnet_b0"
    output = tmp_path / "a.weights.h5"
    arguments = [f"--checkpoint={checkpoint}", f"--backbone={backbone}", f"--output={output}"]
    command.main([*arguments, "--frame_size=96", f"--torch_python={TORCH_PYTHON}"])
    said = capsys.readouterr().out
    at_exact, at_frame_size = (float(line.split()[5]) for line in said.splitlines() if "differ by" in line)
    assert at_exact < 1e-4
    assert 10 * at_exact < at_frame_size < 1  # all three pad otherwise at even sizes
    assert output.exists()
