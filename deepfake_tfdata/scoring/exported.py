"""An exported detector applied to clips at hand, by ONNX Runtime, LiteRT or TensorFlow; never by Keras."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import numpy as np

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.cores import available_cores
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.scoring.applied import (
    ClipFrames,
    ClipOutputs,
    GoOn,
    calibration_of,
    scored,
    to_the_end,
)
from deepfake_tfdata.scoring.export_file import ATTENTION, LOGIT, read_export
from deepfake_tfdata.startup import import_tensorflow, native_messages_hidden

# From frames by input to outputs by name.
Runtime: TypeAlias = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


class ExportedDetector:
    """A detector that was exported; an `AppliedDetector`.

    Args:
        place: the export's folder.

    Raises:
        UserError: it is damaged, or what runs it is not installed.
    """

    def __init__(self, place: Path) -> None:
        self.export = export = read_export(place)
        self.name, self.place, self.head, self.view = export.name, place, export.head, export.view
        self.regions, self.frame_size = export.regions, export.frame_size
        self.spec = ClipSpec.from_dict(export.spec)
        self.fingerprint = export.fingerprint
        load, package = _RUNTIMES[export.format]
        try:
            self._run = load(place / export.file)
        except UserError:
            raise
        except Exception as error:  # each runtime has errors of its own
            raise UserError(
                f"{place / export.file} can't be loaded ({str(error).splitlines()[0]}); export again"
            ) from None
        packages = ("deepfake-tfdata", "numpy", package)
        self.versions: Mapping[str, str] = {
            "python": platform.python_version(),
            **{each: metadata.version(each) for each in packages},
        }
        self.calibration = calibration_of(place, self.fingerprint)

    def score(self, clips: Sequence[ClipFrames], go_on: GoOn = to_the_end) -> ClipOutputs:
        """Scores clips; see `AppliedDetector`."""
        outputs = [name for name in (LOGIT, ATTENTION) if name in self.export.outputs]

        def run(batch: Sequence[ClipFrames]) -> list[np.ndarray]:
            frames = {
                each.name: np.stack([clip[each.region] for clip in batch]) for each in self.export.inputs
            }
            found = self._run(frames)
            return [found[name] for name in outputs]

        return scored(self, clips, run, weighs=ATTENTION in outputs, same_size=True, go_on=go_on)

    def explain(self, clip: ClipFrames) -> None:
        """Nothing: an export has no gradients; see `AppliedDetector`."""


def require_packages(extra: str, *modules: str) -> None:
    """Refuses to go on without what an extra of this package installs.

    Raises:
        UserError: a module is missing.
    """
    for module in modules:
        if not find_spec(module):
            raise UserError(f"{module} is not installed; run pip install 'deepfake_tfdata[{extra}]'")


def _onnx(file: Path) -> Runtime:
    require_packages("onnx", "onnxruntime")
    # It reports sessions and models to its maker, unless it is told before its import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    onnxruntime = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores()
    options.log_severity_level = 4  # what it raises says the same
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda frames: dict(zip(names, session.run(names, dict(frames)), strict=True))


def _litert(file: Path) -> Runtime:
    require_packages("litert", "ai_edge_litert")
    interpreter = import_module("ai_edge_litert.interpreter")
    with native_messages_hidden():  # it tells which delegate it found
        model = interpreter.Interpreter(str(file), num_threads=available_cores())
        model.allocate_tensors()
        runner = model.get_signature_runner()
    return lambda frames: runner(**frames)


def _saved_model(file: Path) -> Runtime:
    tensorflow = import_tensorflow()
    serve = tensorflow.saved_model.load(str(file.parent)).signatures["serving_default"]

    def run(frames: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        tensors = {name: tensorflow.constant(each) for name, each in frames.items()}
        return {name: each.numpy() for name, each in serve(**tensors).items()}

    return run


# By format, what loads a model's file, and the package that computes.
_RUNTIMES: dict[str, tuple[Callable[[Path], Runtime], str]] = {
    "onnx": (_onnx, "onnxruntime"),
    "litert": (_litert, "ai-edge-litert"),
    "saved_model": (_saved_model, "tensorflow"),
}
