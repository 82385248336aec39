"""What networks in PyTorch call the layers of ours."""

import re
from collections.abc import Sequence

# From the names of our layers that have weights to the modules that hold them there.
Modules = dict[str, str]

_BLOCK = re.compile(r"block(\d+)([a-z])_(\w+)")


def timm_efficientnet(layers: Sequence[str]) -> Modules:
    """timm's models/efficientnet.py: blocks by stage; the first stage's have no expansion."""
    outer = {"stem_conv": "conv_stem", "stem_bn": "bn1", "top_conv": "conv_head", "top_bn": "bn2"}
    first = {"dwconv": "conv_dw", "bn": "bn1", "project_conv": "conv_pw", "project_bn": "bn2"}
    other = {
        "expand_conv": "conv_pw",
        "expand_bn": "bn1",
        "dwconv": "conv_dw",
        "bn": "bn2",
        "project_conv": "conv_pwl",
        "project_bn": "bn3",
    }
    squeeze = {"se_reduce": "se.conv_reduce", "se_expand": "se.conv_expand"}
    modules = dict(outer)
    for layer in layers:
        if match := _BLOCK.fullmatch(layer):
            stage, repeat = int(match[1]) - 1, ord(match[2]) - ord("a")
            inner = {**(other if stage else first), **squeeze}
            modules[layer] = f"blocks.{stage}.{repeat}.{inner[match[3]]}"
    return modules


def efficientnet_pytorch(layers: Sequence[str]) -> Modules:
    """The package efficientnet_pytorch, as in DeepfakeBench: blocks numbered through."""
    inner = {
        "expand_conv": "_expand_conv",
        "expand_bn": "_bn0",
        "dwconv": "_depthwise_conv",
        "bn": "_bn1",
        "se_reduce": "_se_reduce",
        "se_expand": "_se_expand",
        "project_conv": "_project_conv",
        "project_bn": "_bn2",
    }
    modules = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    found = {layer: match for layer in layers if (match := _BLOCK.fullmatch(layer))}
    blocks = sorted({match.groups()[:2] for match in found.values()})
    for layer, match in found.items():
        modules[layer] = f"_blocks.{blocks.index(match.groups()[:2])}.{inner[match[3]]}"
    return modules


def xception(layers: Sequence[str]) -> Modules:
    """Cadene's Xception, of timm (legacy_xception), FaceForensics++ and DeepfakeBench.

    A block there is one sequence of (ReLU, separable convolution, BatchNorm); the first has no first ReLU.
    """
    modules: Modules = {}
    for block, stem in ((1, "block1_conv"), (14, "block14_sepconv")):
        for number in (1, 2):
            theirs = number + (0 if block == 1 else 2)
            modules |= {f"{stem}{number}": f"conv{theirs}", f"{stem}{number}_bn": f"bn{theirs}"}
    for layer in layers:
        match = re.fullmatch(r"block(\d+)_sepconv(\d)(_bn)?", layer)
        if match and layer not in modules:
            block, number = int(match[1]) - 1, int(match[2]) - 1
            index = 3 * number + (block > 1) + (match[3] is not None)
            modules[layer] = f"block{block}.rep.{index}"
    # Keras numbers the layers of the side branches, which have no names of their own, through the process.
    for ours, theirs in (("conv2d", "skip"), ("batch_normalization", "skipbn")):
        branches = [layer for layer in layers if re.fullmatch(rf"{ours}(_\d+)?", layer)]
        modules |= {
            layer: f"block{block}.{theirs}" for layer, block in zip(branches, (1, 2, 3, 12), strict=True)
        }
    return modules
