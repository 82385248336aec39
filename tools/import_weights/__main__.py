"""Makes a backbone's weights file of a checkpoint of PyTorch's, and compares the features of both networks.

    python -m tools.import_weights --checkpoint=tf_efficientnet_b1.safetensors --backbone=efficientnet_b1 \
        --output=b1.weights.h5

Takes EfficientNet-B0 to B7 and Xception with the names of timm, efficientnet_pytorch or DeepfakeBench, alone
or as part of a detector, as .safetensors or as torch.save wrote them; `--weights=b1.weights.h5` of `train`
takes the result. The classifier is left out. Reading needs no PyTorch; comparing runs the original in it.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deepfake_tfdata.cli import leave
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.backbones import build_backbone
from tools.import_weights.check import TOLERANCE, exact_size, feature_difference
from tools.import_weights.checkpoint import read_checkpoint
from tools.import_weights.convert import import_tensors
from tools.import_weights.original import HALF, Original, find_original
from tools.torch_python import MissingPython, torch_python

_SUFFIX = ".weights.h5"


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the arguments and does it; exit status 2 for a mistake in one line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--checkpoint", type=Path, required=True, help=".safetensors, .pth, .pt or .bin")
    parser.add_argument("--backbone", required=True, help="efficientnet_b0 to b7, or xception")
    parser.add_argument("--output", type=Path, required=True, help=f"ends in {_SUFFIX}")
    parser.add_argument(
        "--network", default="", help="of timm, such as tf_efficientnet_b1; default: by the path"
    )
    parser.add_argument("--mean", type=_colour, help="of its input, pixels of 0 to 1; default: the usual one")
    parser.add_argument("--stddev", type=_colour, help="of its input; as --mean")
    parser.add_argument("--frame_size", type=int, default=224, help="compare at this size, too, pixels")
    parser.add_argument(
        "--torch_python", type=Path, help="a Python with torch and timm; default: .venv-torch's"
    )
    parser.add_argument("--unchecked", action="store_true", help="compare nothing")
    try:
        run(parser.parse_args(arguments))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        leave(2)


def run(options: argparse.Namespace) -> None:
    """Imports and compares.

    Raises:
        UserError: it can't be done, or the features differ; there is no output then.
    """
    if not options.output.name.endswith(_SUFFIX):
        raise UserError(f"--output={options.output} must end in {_SUFFIX}, which is what --weights takes")
    tensors = read_checkpoint(options.checkpoint)
    original = find_original(tensors, options.backbone, options.network, options.checkpoint)
    original = _with_input(original, options)
    python = None if options.unchecked else _python_for(original, options)
    backbone = build_backbone(options.backbone, exact_size(options.backbone), "none")
    left_out = import_tensors(tensors, original, backbone)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that nothing is there before it has been compared.
    with tempfile.TemporaryDirectory(dir=options.output.parent) as folder:
        weights = Path(folder) / options.output.name
        backbone.save_weights(weights)
        print(f"{options.checkpoint} is {original.family}'s {original.network}")
        print(f"left out: {', '.join(left_out) or 'nothing'}")
        if python:
            compare(weights, original, python, options)
        weights.replace(options.output)
    print(f"{options.output}: for --backbone={options.backbone}{'' if python else ', unchecked'}")


def compare(weights: Path, original: Original, python: Path, options: argparse.Namespace) -> None:
    """Prints by how much features differ, where padding is the same and at --frame_size.

    Raises:
        UserError: they differ where they must not.
    """
    for size, plain in ((exact_size(options.backbone), True), (options.frame_size, False)):
        difference = feature_difference(
            weights, options.backbone, original, options.checkpoint, python, size, plain
        )
        print(f"features differ by at most {difference:.1e} of the largest at {size} pixels")
        if plain and not difference < TOLERANCE:
            raise UserError(
                f"the features of --checkpoint={options.checkpoint} in our graph are not those of "
                f"{original.network}; nothing was written"
            )
    if difference > TOLERANCE:
        print(f"at {options.frame_size} pixels {original.network} pads otherwise than our graph does")


def _with_input(original: Original, options: argparse.Namespace) -> Original:
    original = replace(original, mean=options.mean or original.mean, stddev=options.stddev or original.stddev)
    if options.backbone == "xception" and (original.mean, original.stddev) != (HALF, HALF):
        raise UserError("xception's input is -1..1 in our graph: leave --mean and --stddev out")
    return original


def _python_for(original: Original, options: argparse.Namespace) -> Path:
    package = "timm" if original.family == "timm" else "efficientnet_pytorch"
    try:
        return torch_python(options.torch_python, ("torch", package))
    except MissingPython as error:
        raise UserError(
            f"features can't be compared ({error}); name a Python that has what is missing as "
            "--torch_python, or give --unchecked"
        ) from error


def _colour(text: str) -> tuple[float, ...]:
    values = tuple(float(value) for value in text.split(","))
    if len(values) != 3:
        raise argparse.ArgumentTypeError(f"{text} is not three numbers with commas, one a channel")
    return values


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
