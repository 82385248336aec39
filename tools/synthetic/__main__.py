"""`python -m tools.synthetic --output=DIR`: makes a small data set in the layout of FaceForensics++.

Originals and fakes are drawn alike; a fake carries fine stripes on one region of its face, and nothing else
tells them apart: not the length, the file's size, the noise or the motion. DIR/ground_truth.json says what is
where.
"""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from deepfake_tfdata.cores import available_cores
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import user_path
from tools.synthetic.artefact import REGIONS, Artefact
from tools.synthetic.generate import generate
from tools.synthetic.plan import Options

DILUTION = Artefact(region="mouth", period=3.6, jitter=0.5, strength=14.0)
NULL = Artefact(region="mouth", period=3.6, jitter=0.5, strength=0.0)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see --help)")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line.

    Raises:
        UserError: A flag is unknown or its value has the wrong type.
    """
    parser = _Parser(prog="python -m tools.synthetic", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("--output", type=user_path, required=True, help="the data set's folder; run again, it is completed")
    add("--preset", choices=("dilution", "null"), default="dilution", help="null plants nothing")
    add("--identities", type=int, default=120, help="people: an original and a fake of each (%(default)s)")
    add("--frames", type=int, default=40, help="frames a video, at 25 a second (%(default)s)")
    add("--size", default="320x320", help="WIDTHxHEIGHT in pixels, both even (%(default)s)")
    add("--seed", type=int, default=0, help="the same seed makes the same bytes (%(default)s)")
    add("--workers", type=int, default=available_cores(), help="processes (as many as processors)")
    add("--region", choices=REGIONS, help=f"where the stripes are ({DILUTION.region})")
    add("--period", type=float, help=f"rows of the video from stripe to stripe ({DILUTION.period})")
    add("--jitter", type=float, help=f"phase from frame to frame: 0 still, 1 any ({DILUTION.jitter})")
    add("--strength", type=float, help=f"amplitude of the stripes in grey levels ({DILUTION.strength})")
    return parser.parse_args(arguments)


def read_options(flags: argparse.Namespace) -> Options:
    """Checks the flags.

    Raises:
        UserError: A value is out of its range.
    """
    size = _read_size(flags.size)
    even = flags.identities % 2 == 0
    _require(even and 6 <= flags.identities <= 1000, "identities", flags, "an even number, 6 to 1000")
    _require(flags.frames >= 8, "frames", flags, "8 or more")
    _require(flags.seed >= 0, "seed", flags, "0 or more")
    _require(flags.workers >= 1, "workers", flags, "1 or more")
    given = {name: getattr(flags, name) for name in ("region", "period", "jitter", "strength")}
    given = {name: value for name, value in given.items() if value is not None}
    if flags.preset == "null":
        if given:
            raise UserError(
                f"--{next(iter(given))} is for stripes, but --preset=null plants none: leave it out"
            )
        artefact = NULL
    else:
        artefact = Artefact(**{**vars(DILUTION), **given})
        _require(2 < artefact.period <= 64, "period", flags, "more than 2 rows, at most 64")
        _require(0 <= artefact.jitter <= 1, "jitter", flags, "from 0 to 1")
        _require(0 < artefact.strength <= 60, "strength", flags, "more than 0, at most 60, or --preset=null")
    return Options(flags.preset, flags.identities, flags.frames, size, flags.seed, artefact)


def _require(right: bool, name: str, flags: argparse.Namespace, wanted: str) -> None:
    if not right:
        raise UserError(f"--{name}={getattr(flags, name)}: give {wanted}")


def _read_size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UserError(f"--size={text}: give WIDTHxHEIGHT, as in 320x320")
    size = int(width), int(height)
    if size[0] % 2 or size[1] % 2 or not all(160 <= side <= 4096 for side in size):
        raise UserError(f"--size={text}: give even numbers from 160 to 4096")
    return size


def main(arguments: list[str]) -> int:
    """Runs the command; returns its exit status."""
    try:
        flags = parse(arguments)
        options = read_options(flags)
        made = generate(flags.output, options, flags.workers)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{flags.output}: {2 * options.identities} videos, {made} of them made now")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
