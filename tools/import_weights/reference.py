"""Features of the original network, in PyTorch. Run as a file, by a Python that has no part of this project.

It reads the checkpoint with PyTorch's own reader and builds the network with its own package.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch


def main() -> None:
    """Writes the features [N, F] of uint8 images [N, H, W, 3]."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--family", required=True)
    parser.add_argument("--network", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--mean", type=float, nargs=3, required=True)
    parser.add_argument("--stddev", type=float, nargs=3, required=True)
    parser.add_argument("--plain_padding", action="store_true")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--features", type=Path, required=True)
    options = parser.parse_args()
    network = build(options.family, options.network, options.plain_padding)
    load(network, read(options.checkpoint), options.prefix)
    images = torch.from_numpy(np.load(options.images)).float() / 255
    images = (images - torch.tensor(options.mean)) / torch.tensor(options.stddev)
    with torch.inference_mode():
        features = network.eval()(images.permute(0, 3, 1, 2)).flatten(1)
    np.save(options.features, features.numpy())


def build(family: str, name: str, plain_padding: bool) -> torch.nn.Module:
    """The network up to its features, averaged over space.

    Args:
        family: timm, efficientnet_pytorch or deepfakebench.
        name: there.
        plain_padding: pad as the size of the input asks. Otherwise as that network does: efficientnet_pytorch
            pads for the size that it was trained with, and DeepfakeBench's first convolution not at all.
    """
    if family == "timm":
        import timm

        return timm.create_model(name, num_classes=0)
    from efficientnet_pytorch import EfficientNet

    override = {"image_size": None} if plain_padding else {}
    network = EfficientNet.from_name(name, include_top=False, **override)
    if family == "deepfakebench" and not plain_padding:
        stem = network._conv_stem
        network._conv_stem = torch.nn.Conv2d(3, stem.out_channels, 3, stride=2, bias=False)
    return network


def read(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a checkpoint."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    content: Any = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model"):
        content = content.get(key, content)
    return content


def load(network: torch.nn.Module, tensors: dict[str, torch.Tensor], prefix: str) -> None:
    """Fills a network; what the checkpoint has beyond it is its head."""
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    # Old Xceptions' 1x1 kernels come without height and width.
    own = {
        name: tensor[:, :, None, None] if "pointwise" in name and tensor.ndim == 2 else tensor
        for name, tensor in own.items()
    }
    missing = network.load_state_dict(own, strict=False).missing_keys
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing:
        raise SystemExit(f"the checkpoint has no {missing[0]}")


if __name__ == "__main__":
    main()
