"""Whether a study finds what was planted, and nothing where nothing was: end to end, on drawn videos.

    python -m tools.prove_study --output=demo/proof

  dose    stripes in three orientations and several periods, in the mouths of small and of large faces. What
  each
          arm can see of them follows from the sampling theorem: stripes survive in a fake if its face, as the
          arm reduces it, leaves more than two pixels a period. A perfect detector has an AUC of one on those
          and guesses on the others, so that with a share v of them its AUC is (1 + v) / 2.
  null    fakes that differ from originals by nothing: five studies of five data sets, of which none should
      claim
          a difference, nor an AUC away from one half.

Prints what was predicted beside what was found, and writes OUTPUT/proof.json. Run again, it goes on. It takes
most of an hour on two cores.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepfake_tfdata.clips.views import view_named
from deepfake_tfdata.files import write_json
from deepfake_tfdata.records.ledger import read_ledger
from deepfake_tfdata.storage import user_path
from tools.synthetic.generate import TRUTH

INPUT_SIZE, FRAMES = 64, 16
ARMS = ("whole", "mouth_only", "mouth_reduced", "mouth")
RETENTIONS = ("0.35", "0.5", "0.7")
NULL_STUDIES = 5
_CONVERT = [f"--num_frames={FRAMES}", f"--frame_size={INPUT_SIZE}", "--regions=full,mouth"]
_TRAIN = [
    "--backbone=meso4",
    "--weights=none",
    "--batch_size=8",
    "--learning_rate=1.4e-3",
    "--robustness=false",
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the studies, prints, writes."""
    options = _parser().parse_args(arguments)
    proof: dict[str, Any] = {}
    if options.only != "null":
        folder = options.output / "dose"
        conduct(
            folder,
            ["--preset=dose"],
            [
                "--regions=",
                "--heads=control",
                "--arms=full",
                f"--retentions={','.join(RETENTIONS)}",
                f"--seeds={options.seeds}",
                f"--epochs={options.epochs}",
            ],
        )
        proof["dose"] = dose_rows(folder)
        print(dose_table(proof["dose"]), flush=True)
    if options.only != "dose":
        proof["null"] = []
        for seed in range(1, NULL_STUDIES + 1):
            folder = options.output / f"null-{seed}"
            conduct(
                folder,
                ["--preset=null", f"--seed={seed}", "--identities=80"],
                [
                    "--regions=full,mouth",
                    "--heads=attention,control",
                    "--primary=mouth/attention:full/control",
                    "--seeds=2",
                    "--epochs=5",
                ],
            )
            proof["null"].append(null_row(folder))
            print(null_text(proof["null"][-1]), flush=True)
    write_json(options.output / "proof.json", proof)


def conduct(folder: Path, data: Sequence[str], study: Sequence[str]) -> None:
    """Draws the videos, converts them and conducts a study, as a user would; what is there is kept."""
    _run("tools.synthetic", f"--output={folder / 'videos'}", *data)
    _run(
        "deepfake_tfdata.convert",
        f"--source={folder / 'videos'}",
        f"--output={folder / 'records'}",
        *_CONVERT,
    )
    _run(
        "deepfake_tfdata.study",
        f"--data={folder / 'records'}",
        f"--workdir={folder / 'study'}",
        *_TRAIN,
        *study,
    )


def dose_rows(folder: Path) -> list[dict[str, Any]]:
    """Of each arm, the AUC that was predicted and that was found."""
    truth = json.loads((folder / "videos" / TRUTH).read_text())["videos"]
    result = json.loads((folder / "study" / "study.json").read_text())
    ledger = read_ledger(folder / "records")
    fakes = [
        (video["artefact"]["period"], ledger[f"Face2Face/{Path(path).stem}"].faces.face_size)
        for path, video in truth.items()
        if video["split"] == "test" and video["artefact"]
    ]
    return [
        {"arm": cell["view"], "predicted": predicted_auc(cell["view"], fakes), **_found(cell)}
        for cell in result["cells"]
    ]


def predicted_auc(view: str, fakes: Sequence[tuple[float, float]]) -> float:
    """The AUC of a detector that sees all stripes that an arm leaves, and guesses at the others.

    Args:
        view: the arm.
        fakes: period of the stripes and side of the face box of each, in pixels of the video.
    """
    seen = view_named(view)
    visible = 0
    for period, side in fakes:
        share = min(1.0, seen.share(INPUT_SIZE, side))
        window = (seen.window.bottom - seen.window.top) * side
        visible += period * min(share, INPUT_SIZE / window) > 2
    return (1 + visible / len(fakes)) / 2


def dose_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line an arm."""
    lines = [f"{'arm':<16} predicted  found"]
    lines += [
        f"{r['arm']:<16} {r['predicted']:.3f}      {r['auc']:.3f} [{r['auc_low']:.3f}, {r['auc_high']:.3f}]"
        for r in rows
    ]
    return "\n".join(lines)


def null_row(folder: Path) -> dict[str, Any]:
    """What a study of nothing claimed."""
    result = json.loads((folder / "study" / "study.json").read_text())
    return {
        "verdicts": [each["verdict"] for each in result["comparisons"]],
        "primary": result["comparisons"][0]["verdict"],
        "p": [each["p"] for each in result["comparisons"]],
        "aucs": [_found(cell) for cell in result["cells"]],
    }


def null_text(row: Mapping[str, Any]) -> str:
    """A line on a study of nothing."""
    aucs = ", ".join(f"{auc['auc']:.3f} [{auc['auc_low']:.3f}, {auc['auc_high']:.3f}]" for auc in row["aucs"])
    return f"null: primary {row['primary']}, all {row['verdicts']}; AUCs {aucs}"


def _found(cell: Mapping[str, Any]) -> dict[str, float]:
    return {key: cell[key] for key in ("auc", "auc_low", "auc_high")}


def _run(module: str, *flags: str) -> None:
    subprocess.run([sys.executable, "-m", module, *flags], check=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.prove_study",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", type=user_path, required=True, help="folder for all that is made")
    parser.add_argument("--only", choices=("dose", "null"), help="one of the two")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each arm (%(default)s)")
    parser.add_argument("--epochs", type=int, default=15, help="of each (%(default)s)")
    return parser


if __name__ == "__main__":
    main()
