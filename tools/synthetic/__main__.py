"""`python -m tools.synthetic --output=DIR`: makes a small data set in the layout of FaceForensics++.

Originals and fakes are drawn alike; a fake carries fine stripes on one region of its face, and nothing else
tells them apart: not the length, the file's size, the face's size, the noise or the motion.
DIR/ground_truth.json says what is where.

Presets: `dilution` plants the same horizontal stripes in the mouths of faces of about one size; `dose`
stripes of three orientations and three periods, on small and on large faces; `null` plants nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import NoReturn

from deepfake_tfdata.cores import available_cores
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import user_path
from tools.synthetic.artefact import ORIENTATIONS, REGIONS, Artefact
from tools.synthetic.generate import generate
from tools.synthetic.plan import Options

DILUTION = Artefact(region="mouth", period=3.6, jitter=0.5, strength=14.0)
MIXED = "mixed"
# Of a frame's shorter side, what a face box may take: a conversion looks for no smaller faces, and larger
# ones would leave the frame.
FACE_SHARES = (0.13, 0.65)


@dataclasses.dataclass(frozen=True)
class Preset:
    """What a preset has for the flags that are not given."""

    orientation: str = DILUTION.orientation
    period: str = str(DILUTION.period)
    face_size: str = ""


PRESETS = {"dilution": Preset(), "dose": Preset(MIXED, "2.8,3.6,5", "48..200"), "null": Preset()}


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
    add("--preset", choices=PRESETS, default="dilution", help="what the other flags begin with (%(default)s)")
    add("--identities", type=int, default=120, help="people: an original and a fake of each (%(default)s)")
    add(
        "--val_pairs",
        type=int,
        help="pairs in val (a fifth of all); test has a quarter of the others",
    )
    add("--frames", type=int, default=40, help="frames a video, at 25 a second (%(default)s)")
    add("--size", default="320x320", help="WIDTHxHEIGHT in pixels, both even (%(default)s)")
    add("--seed", type=int, default=0, help="the same seed makes the same bytes (%(default)s)")
    add("--workers", type=int, default=available_cores(), help="processes (as many as processors)")
    add("--region", choices=REGIONS, help=f"where the stripes are ({DILUTION.region})")
    add("--orientation", choices=(*ORIENTATIONS, MIXED), help=f"how they lie ({DILUTION.orientation})")
    add("--period", help=f"pixels from stripe to stripe; of several, each fake has one ({DILUTION.period})")
    add("--jitter", type=float, help=f"phase from frame to frame: 0 still, 1 any ({DILUTION.jitter})")
    add("--strength", type=float, help=f"amplitude of the stripes in grey levels ({DILUTION.strength})")
    add("--flicker", type=float, help="share of it that comes and goes from frame to frame, 0 to 1 (0)")
    add("--face_size", help="SMALLEST..LARGEST side of face boxes, pixels, one a pair (47 %% of the frame)")
    return parser.parse_args(arguments)


def read_options(flags: argparse.Namespace) -> Options:
    """Checks the flags.

    Raises:
        UserError: A value is out of its range.
    """
    size = _read_size(flags.size)
    even = flags.identities % 2 == 0
    _require(even and 6 <= flags.identities <= 1000, "identities", flags, "an even number, 6 to 1000")
    most = flags.identities // 2 - 2
    val_fits = flags.val_pairs is None or 1 <= flags.val_pairs <= most
    _require(val_fits, "val_pairs", flags, f"1 to {most}, or more --identities")
    _require(flags.frames >= 8, "frames", flags, "8 or more")
    _require(flags.seed >= 0, "seed", flags, "0 or more")
    _require(flags.workers >= 1, "workers", flags, "1 or more")
    preset = PRESETS[flags.preset]
    face_sizes = _read_face_sizes(preset.face_size if flags.face_size is None else flags.face_size, size)
    artefacts = _read_artefacts(flags)
    return Options(
        flags.preset, flags.identities, flags.frames, size, flags.seed, artefacts, face_sizes, flags.val_pairs
    )


def _read_artefacts(flags: argparse.Namespace) -> tuple[Artefact, ...]:
    """What may be planted: every period in every orientation."""
    names = ("region", "orientation", "period", "jitter", "strength", "flicker")
    given = {name: getattr(flags, name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    if flags.preset == "null":
        if given:
            raise UserError(
                f"--{next(iter(given))} is for stripes, but --preset=null plants none: leave it out"
            )
        return ()
    chosen = {**vars(DILUTION), **vars(PRESETS[flags.preset]), **given}
    _require(0 <= chosen["jitter"] <= 1, "jitter", flags, "from 0 to 1")
    _require(0 < chosen["strength"] <= 60, "strength", flags, "more than 0, at most 60, or --preset=null")
    _require(0 <= chosen["flicker"] <= 1, "flicker", flags, "from 0 to 1")
    orientation = chosen["orientation"]
    return tuple(
        Artefact(chosen["region"], period, chosen["jitter"], chosen["strength"], each, chosen["flicker"])
        for each in (ORIENTATIONS if orientation == MIXED else (orientation,))
        for period in _read_periods(chosen["period"])
    )


def _read_periods(text: str) -> list[float]:
    try:
        periods = [float(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"--period={text}: give pixels, or several as in 2.8,3.6,5") from None
    if not all(2 < period <= 64 for period in periods) or len(set(periods)) < len(periods):
        raise UserError(f"--period={text}: give more than 2 pixels, at most 64, each once")
    return periods


def _read_face_sizes(text: str, size: tuple[int, int]) -> tuple[float, float] | None:
    if not text:
        return None
    try:
        smallest, largest = (float(part) for part in text.split(".."))
    except ValueError:
        raise UserError(f"--face_size={text}: give SMALLEST..LARGEST in pixels, as in 48..200") from None
    low, high = (share * min(size) for share in FACE_SHARES)
    if not low <= smallest <= largest <= high:
        raise UserError(
            f"--face_size={text}: in frames of {size[0]}x{size[1]} give {low:.0f} to {high:.0f} pixels, the "
            "smaller first, or another --size"
        )
    return smallest, largest


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
