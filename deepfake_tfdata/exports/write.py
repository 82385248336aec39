"""A run's detector written in a format, with all that belongs to it, or nothing at all."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.calibration import CALIBRATION_FILE
from deepfake_tfdata.exports.clips import RealClip, candidates, choose, store
from deepfake_tfdata.exports.formats import FORMATS
from deepfake_tfdata.exports.graph import export_graph
from deepfake_tfdata.exports.parity import (
    ABSOLUTE,
    PARITY_FILE,
    RELATIVE,
    Parity,
    ParityClip,
    parity_values,
    require_parity,
    require_spread,
)
from deepfake_tfdata.exports.rebuild import in_float32
from deepfake_tfdata.files import write_json
from deepfake_tfdata.model.assembly import frame_inputs
from deepfake_tfdata.model.detector import weighs_frames
from deepfake_tfdata.scoring.applied import ClipOutputs
from deepfake_tfdata.scoring.export_file import (
    ATTENTION,
    LOGIT,
    MODEL_FILES,
    Export,
    ExportInput,
    write_export,
)
from deepfake_tfdata.scoring.exported import ExportedDetector
from deepfake_tfdata.scoring.run_clips import clips_for_run, options_of_run
from deepfake_tfdata.scoring.run_detector import RunDetector
from deepfake_tfdata.scoring.runs import Run, read_run

# Whose clips are scored: training has not seen them, and the test split stays closed.
_SPLIT = "val"


@dataclass(frozen=True)
class Written:
    """What became of an export.

    Attributes:
        parity: with the run's Keras model.
        model_bytes: size of the model's file.
        calibrated: whether the run's calibration went along.
    """

    parity: Parity
    model_bytes: int
    calibrated: bool


def export_run(workdir: Path, format_name: str, output: Path, num_clips: int, data: str = "") -> Written:
    """Exports a run's best model, and scores real clips with what came of it.

    Args:
        workdir: of the run.
        format_name: one of FORMATS.
        output: the folder to make.
        num_clips: how many clips to score and to store.
        data: the folder of records that the clips are of; the run's own if ''.

    Raises:
        UserError: there is no such run or no such records, the format knows no such model, or the export says
            something else than the run's model. Nothing is left under the final name then.
    """
    run = read_run(workdir)
    # Of the export's arithmetic, whatever the training's: what differs then is the export.
    reference = RunDetector(workdir, prepare=None if run.precision == "float32" else in_float32)
    clips = _real_clips(run, reference, num_clips, data)
    frames = [clip.frames for clip in clips]
    expected = reference.score(frames)
    spread = require_spread(expected.logits)
    with _whole_folder(output) as folder:
        with _explained(run, format_name):
            export = _write_model(run, reference, format_name, folder)
            write_export(folder, export)
            found = ExportedDetector(folder).score(frames)
        of_logits, of_attention = require_parity(expected, found)
        in_precision = expected if run.precision == "float32" else RunDetector(workdir).score(frames)
        parity = Parity(
            split=_SPLIT,
            spread=spread,
            absolute=ABSOLUTE,
            relative=RELATIVE,
            largest_difference=of_logits,
            largest_attention_difference=of_attention,
            precision=run.precision,
            difference_to_precision=float(abs(in_precision.logits - expected.logits).max()),
            clips=_store_clips(clips, expected, found, export, folder),
        )
        write_json(folder / PARITY_FILE, parity_values(parity))
        if reference.calibration:
            shutil.copyfile(workdir / CALIBRATION_FILE, folder / CALIBRATION_FILE)
        size = (folder / export.file).stat().st_size
    return Written(parity, size, calibrated=reference.calibration is not None)


def _store_clips(
    clips: Sequence[RealClip], expected: ClipOutputs, found: ClipOutputs, export: Export, folder: Path
) -> list[ParityClip]:
    """Writes the clips beside the model, and says what each must score."""
    names = {each.region: each.name for each in export.inputs}
    stored = []
    for row, clip in enumerate(clips):
        file = f"clips/{row}.npz"
        store(clip, names, folder / file)
        weights = None if expected.attention is None else expected.attention[row].tolist()
        logit, exported = float(expected.logits[row]), float(found.logits[row])
        stored.append(ParityClip(file, clip.clip_id, clip.label, logit, exported, weights))
    return stored


def _real_clips(run: Run, reference: RunDetector, count: int, data: str) -> list[RealClip]:
    """Clips of both classes that the detector is sure of."""
    options = options_of_run(run, data)
    found = candidates(options, clips_for_run(run, reference.place, options, _SPLIT), count)
    logits = reference.score([clip.frames for clip in found]).logits
    return [found[row] for row in choose([clip.label for clip in found], logits, count)]


def _write_model(run: Run, reference: RunDetector, format_name: str, folder: Path) -> Export:
    """Writes the model's file, and says what it is."""
    chosen, detector = FORMATS[format_name], reference.model
    inputs = tuple(
        ExportInput(each.name, region, tuple(each.shape))
        for each, region in zip(frame_inputs(detector), reference.regions, strict=True)
    )
    graph = export_graph(
        detector, inputs, reference.spec, reference.view, reference.frame_size, unroll=chosen.unrolled
    )
    file = folder / MODEL_FILES[format_name]
    chosen.write(graph, file)
    return Export(
        name=reference.name,
        format=format_name,
        file=MODEL_FILES[format_name],
        inputs=inputs,
        outputs=(LOGIT, ATTENTION) if weighs_frames(detector) else (LOGIT,),
        head=reference.head,
        backbone=run.config["backbone"],
        view=reference.view,
        frame_size=reference.frame_size,
        spec=run.spec,
        spec_hash=run.spec_hash,
        fingerprint=reference.fingerprint,
        precision=run.precision,
        versions={
            **reference.versions,
            **{package: metadata.version(package) for package in chosen.packages},
        },
    )


@contextmanager
def _explained(run: Run, format_name: str) -> Iterator[None]:
    """Turns whatever a converter or a runtime raises about a model that it doesn't know into a UserError."""
    try:
        yield
    except Exception as error:  # each has errors of its own
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        head, backbone = run.config["head"], run.config["backbone"]
        raise UserError(
            f"--head={head} on --backbone={backbone} can't be exported with --format={format_name}: {reason}"
        ) from error


@contextmanager
def _whole_folder(path: Path) -> Iterator[Path]:
    """Gives a temporary folder to fill; it gets its final name if the block succeeds, and else is removed."""
    temporary = path.with_name(f"{path.name}.incomplete-{os.getpid()}")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
