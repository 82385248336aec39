"""Which network a checkpoint is of: its names, its padding, its BatchNormalization, its input."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepfake_tfdata.errors import UserError
from tools.import_weights.naming import Modules, efficientnet_pytorch, timm_efficientnet, xception

Colour = tuple[float, float, float]
IMAGENET_MEAN, IMAGENET_STDDEV = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
# PyTorch's default, and what networks have that were TensorFlow's first.
_TORCH_EPSILON, _TENSORFLOW_EPSILON = 1e-5, 1e-3


@dataclass(frozen=True)
class Original:
    """A network in PyTorch.

    Attributes:
        family: whose it is: timm, efficientnet_pytorch or deepfakebench.
        network: its name there.
        marker: the weight by which it is known.
        modules: where it keeps the weights of our layers.
        epsilon: of its BatchNormalization.
        mean, stddev: that its input is normalised with, for pixels of 0 to 1.
        prefix: before the names of its weights in the checkpoint.
    """

    family: str
    network: str
    marker: str
    modules: Callable[[Sequence[str]], Modules]
    epsilon: float
    mean: Colour
    stddev: Colour
    prefix: str = ""


def find_original(names: Iterable[str], backbone: str, network: str, path: Path) -> Original:
    """Finds out what a checkpoint is of.

    Args:
        names: of its tensors.
        backbone: of ours.
        network: in timm, whose names don't tell; "" to take it from the path.
        path: of the checkpoint.

    Raises:
        UserError: it is of no known network, or nothing tells of which.
    """
    names = list(names)
    for known in _known(backbone):
        for name in names:
            if f".{name}".endswith(f".{known.marker}"):
                return _specified(
                    replace(known, prefix=name.removesuffix(known.marker)), backbone, network, path
                )
    raise UserError(
        f"--checkpoint={path} is of no known network for --backbone={backbone} (its first tensor is "
        f"{', '.join(names[:1]) or 'missing'}); give EfficientNet-B0 to B7 or Xception as timm, "
        "efficientnet_pytorch or DeepfakeBench name their weights"
    )


def _known(backbone: str) -> list[Original]:
    if backbone == "xception":
        # timm's class has the very names of DeepfakeBench's.
        marker = "block1.rep.0.conv1.weight"
        return [Original("timm", "legacy_xception", marker, xception, _TORCH_EPSILON, HALF, HALF)]
    if not re.fullmatch(r"efficientnet_b[0-7]", backbone):
        raise UserError(f"--backbone={backbone} can't be imported; choose efficientnet_b0 to b7, or xception")
    imagenet = (IMAGENET_MEAN, IMAGENET_STDDEV)
    return [
        Original("timm", "", "conv_stem.weight", timm_efficientnet, _TORCH_EPSILON, *imagenet),
        Original(
            "efficientnet_pytorch",
            backbone.replace("_", "-"),
            "_conv_stem.weight",
            efficientnet_pytorch,
            _TENSORFLOW_EPSILON,
            *imagenet,
        ),
    ]


def _specified(found: Original, backbone: str, network: str, path: Path) -> Original:
    """The network itself, where several have the same names."""
    if found.network and network:
        raise UserError(f"--network={network} is not needed: it is {found.network}; leave it out")
    if found.prefix.endswith("backbone.efficientnet."):
        return replace(found, family="deepfakebench", mean=HALF, stddev=HALF)
    return found if found.network else _timm_efficientnet(found, backbone, network, path)


def _timm_efficientnet(found: Original, backbone: str, network: str, path: Path) -> Original:
    of_path = re.findall(rf"(?:tf_)?{backbone}(?!\d)", f"{path.parent.name}/{path.name}")
    if not network and not of_path:
        raise UserError(
            f"--checkpoint={path} may be timm's {backbone} or its tf_{backbone}, which pad and normalise "
            "differently; say which with --network"
        )
    network = network or of_path[-1]
    if network not in (backbone, f"tf_{backbone}"):
        raise UserError(
            f"--network={network} is not --backbone={backbone}; choose {backbone} or tf_{backbone}"
        )
    epsilon = _TENSORFLOW_EPSILON if network.startswith("tf_") else _TORCH_EPSILON
    return replace(found, network=network, epsilon=epsilon)
