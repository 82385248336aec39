"""What an exported detector says of itself in export.json, and what its folder holds."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import write_json
from deepfake_tfdata.scoring.applied import EXPORT_FILE

# By format, the model's file in the folder. TensorFlow Serving looks for a numbered folder.
MODEL_FILES = {"saved_model": "1/saved_model.pb", "onnx": "detector.onnx", "litert": "detector.tflite"}
# What an export gives; the second only where its head weighs frames.
LOGIT, ATTENTION = "logit", "attention"


@dataclass(frozen=True)
class ExportInput:
    """An input of an exported model: RGB frames of a region.

    Attributes:
        name: 'frames', or the region's of several.
        region: whose crops it takes.
        shape: B, T, H, W, 3; what may be of any size is None. Clips of one call share their size.
    """

    name: str
    region: str
    shape: tuple[int | None, ...]
    dtype: str = "uint8"


@dataclass(frozen=True)
class Export:
    """What export.json holds.

    Attributes:
        name: of the detector, such as 'mouth/attention'.
        format: one of MODEL_FILES.
        file: the model's, in the export's folder.
        inputs: that the model takes.
        outputs: that it gives: 'logit', float32 [B], positive for fake; and maybe 'attention', float32
            [B, T], what each frame weighs.
        head, backbone, view, frame_size: of the run.
        spec: of the clips, as ClipSpec.to_dict gives it.
        spec_hash: its hash.
        fingerprint: of the run's model.keras, SHA-256.
        precision: that the run was trained in; the export computes in float32.
        versions: of what wrote it.
    """

    name: str
    format: str
    file: str
    inputs: tuple[ExportInput, ...]
    outputs: tuple[str, ...]
    head: str
    backbone: str
    view: str
    frame_size: int
    spec: dict[str, Any]
    spec_hash: str
    fingerprint: str
    precision: str
    versions: dict[str, str]

    @property
    def regions(self) -> tuple[str, ...]:
        """That it looks at, in the order of its inputs."""
        return tuple(each.region for each in self.inputs)


def write_export(place: Path, export: Export) -> None:
    """Writes PLACE/export.json."""
    write_json(place / EXPORT_FILE, asdict(export))


def read_export(place: Path) -> Export:
    """Reads PLACE/export.json.

    Raises:
        UserError: it is damaged or of another version, or the model's file is missing.
    """
    path = place / EXPORT_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        inputs = tuple(ExportInput(**{**each, "shape": tuple(each["shape"])}) for each in values["inputs"])
        export = Export(**{**values, "inputs": inputs, "outputs": tuple(values["outputs"])})
        ClipSpec.from_dict(export.spec)
        _ = MODEL_FILES[export.format]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, UserError):
        raise UserError(f"{path} is damaged or of another version; export again") from None
    if not (place / export.file).is_file():
        raise UserError(f"no {export.file} in {place}; export again")
    return export
