"""How long a clip takes in a run's Keras model and in exports of it, and how large each file is.

python -m tools.benchmark_export --workdir=runs/mouth_attention --exports=exports/onnx,exports/litert

The clip is the first that lies beside the first export. Each round, every detector scores it in turn; a ratio
is the median over rounds of its time to that of Keras in the same round.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepfake_tfdata.scoring.applied import AppliedDetector, ClipFrames, open_detector
from deepfake_tfdata.scoring.export_file import read_export
from deepfake_tfdata.scoring.runs import MODEL_FILE


def stored_clip(export: Path) -> ClipFrames:
    """The first of the clips that lie beside an export."""
    arrays = np.load(export / json.loads((export / "parity.json").read_text())["clips"][0]["file"])
    return {each.region: arrays[each.name] for each in read_export(export).inputs}


def seconds(detectors: Sequence[AppliedDetector], clip: ClipFrames, rounds: int) -> np.ndarray:
    """float [rounds, detectors], of one clip; a first round is not counted."""
    times = np.zeros((rounds + 1, len(detectors)))
    for row in times:
        for place, detector in enumerate(detectors):
            start = time.perf_counter()
            detector.score([clip])
            row[place] = time.perf_counter() - start
    return times[1:]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workdir", type=Path, required=True, help="of the run")
    parser.add_argument("--exports", required=True, help="folders of its exports, with commas between")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    exports = [Path(place) for place in arguments.exports.split(",")]
    files = [
        arguments.workdir / MODEL_FILE,
        *(export / read_export(export).file for export in exports),
    ]
    detectors = [open_detector(place) for place in (arguments.workdir, *exports)]
    times = seconds(detectors, stored_clip(exports[0]), arguments.rounds)
    ratios = np.median(times / times[:, :1], axis=0)
    print("| file | MB | seconds a clip | of Keras' time |\n|---|---:|---:|---:|")
    for file, median, ratio in zip(files, np.median(times, axis=0), ratios, strict=True):
        print(f"| {file.name} | {file.stat().st_size / 1e6:.1f} | {median:.3f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
