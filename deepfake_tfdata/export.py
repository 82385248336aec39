"""Exports a trained run for other programs, and checks on real clips that it says what the run's model says.

python -m deepfake_tfdata.export --workdir=runs/mouth_attention --format=onnx --output=exports/mouth
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from deepfake_tfdata import cli
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, option
from deepfake_tfdata.scoring.export_file import MODEL_FILES
from deepfake_tfdata.scoring.exported import require_packages
from deepfake_tfdata.scoring.runs import read_run
from deepfake_tfdata.startup import import_tensorflow

_LOG = logging.getLogger(__name__)
# What writes and checks a format, beside TensorFlow; the extra that installs it has the format's name.
_NEEDED = {"onnx": ("onnx", "onnxruntime", "tf2onnx"), "litert": ("ai_edge_litert",)}


@dataclass(frozen=True)
class ExportConfig(Options):
    """Which run, as what, and where to."""

    workdir: str = option(meaning="of the run", is_path=True)
    output: str = option(meaning="folder to make; it must not be there yet", is_path=True)
    format: str = option("onnx", "that it is written in", choices=tuple(MODEL_FILES))
    clips: int = option(4, "of the validation split that it is checked on, half of them fakes", low=2)
    data: str = option("", "folder of records with these clips; the run's own if not given", is_path=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if "://" in self.output:
            raise UserError(f"--output={self.output} is on object storage; use a local folder")


def main(config: ExportConfig) -> None:
    """Exports, and says how closely it agrees."""
    output = Path(config.output)
    if output.exists():
        raise UserError(f"--output={output} is there already; name another folder, or delete it")
    read_run(Path(config.workdir))  # a mistake here need not wait for TensorFlow
    require_packages(config.format, *_NEEDED.get(config.format, ()))
    # What a GPU computes in its own precision, and its own kernels, is no measure of an export.
    import_tensorflow().config.set_visible_devices([], "GPU")
    from deepfake_tfdata.exports.write import export_run

    written = export_run(Path(config.workdir), config.format, output, config.clips, config.data)
    parity = written.parity
    cli.say(f"wrote {output / MODEL_FILES[config.format]}, {written.model_bytes / 1e6:.1f} MB")
    cli.say(
        f"{len(parity.clips)} clips score as in Keras, to {parity.largest_difference:.1g}; their logits lie "
        f"{parity.spread:.2g} apart"
    )
    if parity.difference_to_precision:
        cli.say(
            f"it computes in float32; in {parity.precision} the run's own model differs by up to "
            f"{parity.difference_to_precision:.2g}"
        )
    if not written.calibrated:
        _LOG.warning(
            "note: no calibration went along, for the run has none of this model; "
            "'python -m deepfake_tfdata.evaluate --workdir=%s' makes one, then export again",
            config.workdir,
        )


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, ExportConfig, __doc__, argv)


if __name__ == "__main__":
    run()
