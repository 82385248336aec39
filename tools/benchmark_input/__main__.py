"""How fast clips are loaded: libjpeg-turbo alone, this pipeline in every combination, and other loaders.

    python -m tools.benchmark_input --rounds=5 --output=input

Makes videos of a photographed face in the sizes of FaceForensics++ (or takes those of --data), converts them
in every geometry and encoding, writes the same JPEG images in each loader's own format, and measures the
loaders in turn, round after round, each time in a process of its own: batches of uint8 clips in host memory,
files in the page cache, nothing shuffled, no training. Every loader's clips are compared with the lossless
crops. Prints a table of medians; --output=NAME also writes NAME.md and NAME.json. What is not installed is
named in the table; `pip install -c tools/constraints.txt -e '.[bench]'` installs everything.

A process's memory and processor time count its children, and memory that they share counts once. On a machine
with other work the processor time a clip says more than clips a second.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from deepfake_tfdata.cores import available_cores
from deepfake_tfdata.storage import user_path
from tools.benchmark_input.process import run
from tools.benchmark_input.records import bytes_a_clip, convert, write_peers, write_references
from tools.benchmark_input.rows import ROWS, Row
from tools.benchmark_input.source import Source
from tools.benchmark_input.table import Result, markdown, summary, with_ratios
from tools.benchmark_input.videos import make_videos


def main(arguments: list[str] | None = None) -> None:
    """Makes the data, measures, prints."""
    options = parse_arguments(arguments)
    with nullcontext(options.work) if options.work else tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        chosen = [row for row in ROWS if not options.only or any(name in row.name for name in options.only)]
        reasons = prepare(options, work, chosen)
        for results in measure(options, work, chosen, reasons):
            # After every round, so that an interrupted run leaves something.
            table = save(options, results)
    print(table)
    if any(result.get("skipped", "").startswith("failed") for result in results):
        sys.exit(1)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "--data", type=user_path, help="videos as `convert --source` takes them; default: made here"
    )
    parser.add_argument(
        "--work", type=user_path, help="folder to keep what is converted; it is not made again"
    )
    parser.add_argument("--region", default="mouth")
    parser.add_argument("--clips", type=int, default=60, help="of the train split, at most")
    parser.add_argument("--num_frames", type=int, default=32)
    parser.add_argument("--frame_size", type=int, default=224)
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument(
        "--rounds", type=int, default=5, choices=range(1, 100), metavar="N", help="of which the median counts"
    )
    parser.add_argument("--seconds", type=float, default=4, help="of measuring, a row and round")
    parser.add_argument(
        "--only", type=lambda text: text.split("|"), help="rows that contain one of NAME|NAME"
    )
    parser.add_argument("--output", type=user_path, help="name of the .md and .json to write")
    return parser.parse_args(arguments)


def prepare(options: argparse.Namespace, work: Path, rows: Sequence[Row]) -> dict[str, str]:
    """Fills the work folder; why rows can't be measured, by their names."""
    shape = {name: getattr(options, name) for name in ("region", "clips", "num_frames", "frame_size")}
    settings = json.dumps({"data": str(options.data), **shape})
    stamp = work / "settings.json"
    if stamp.exists() and stamp.read_text() != settings:
        sys.exit(f"error: {work} was made with other settings, {stamp.read_text()}; choose another --work")
    work.mkdir(parents=True, exist_ok=True)
    stamp.write_text(settings)
    videos = options.data or work / "videos" / "videos.csv"
    if not videos.exists():
        print(f"making {options.clips} videos", file=sys.stderr)
        make_videos(videos.parent, options.clips, options.num_frames)
    print("converting", file=sys.stderr)
    flags = [f"--{name}={shape[name]}" for name in ("num_frames", "frame_size")]
    refused = convert(videos, work, options.region, [*flags, f"--limit={options.clips}"], rows)
    write_references(work, options.region)
    write_peers(work, options.region, rows)
    return {row.name: why for row in rows if (why := _why_not(row, refused))}


def measure(
    options: argparse.Namespace, work: Path, rows: Sequence[Row], reasons: dict[str, str]
) -> Iterator[list[Result]]:
    """Every row in every round; all results so far after each. The first round checks what was decoded."""
    sources = {row.name: _source(options, work, row) for row in rows if row.name not in reasons}
    rounds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number in range(options.rounds):
        for row in rows:
            if row.name in sources:
                print(f"round {number + 1}: {row.name}", file=sys.stderr)
                check = None if number else work / "reference" / row.geometry
                rounds[row.name].append(run(row, sources[row.name], options.seconds, check))
        yield with_ratios(
            [
                {"name": row.name, "skipped": reasons[row.name]}
                if row.name in reasons
                else summary(row, rounds[row.name], options.num_frames, bytes_a_clip(sources[row.name]))
                for row in rows
            ]
        )


def save(options: argparse.Namespace, results: list[Result]) -> str:
    """Writes the two files of --output, if wanted; the table."""
    table = markdown(describe(options), results)
    if options.output:
        Path(f"{options.output}.md").write_text(table + "\n")
        settings = {name: str(value) for name, value in vars(options).items()}
        result = {"about": describe(options), "settings": settings, "rows": results}
        Path(f"{options.output}.json").write_text(json.dumps(result, indent=2) + "\n")
    return table


def describe(options: argparse.Namespace) -> str:
    """The conditions, in a line."""
    return (
        f"Region {options.region}, {options.num_frames} frames, batches of {options.batch_size}, "
        f"{available_cores()} cores of {_processor()}, Python {platform.python_version()}; medians of "
        f"up to {options.rounds} rounds of {options.seconds:g} s, load {os.getloadavg()[0]:.1f}."
    )


def _source(options: argparse.Namespace, work: Path, row: Row) -> Source:
    return Source(
        folder=work / row.data,
        num_clips=len(list((work / "reference" / "resized").iterdir())),
        num_frames=options.num_frames,
        frame_size=options.frame_size,
        batch_size=options.batch_size,
        cores=available_cores(),
        region=options.region,
        option=row.option,
    )


def _why_not(row: Row, refused: dict[tuple[str, str], str]) -> str:
    if row.missing():
        return f"not installed: {', '.join(row.missing())}"
    return f"refused: {refused[row.combination]}" if row.combination in refused else ""


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


if __name__ == "__main__":
    main()
