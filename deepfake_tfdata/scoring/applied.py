"""A trained detector applied to clips at hand: that of a run, or an export of it, opened and used alike.

Nothing here imports TensorFlow or Keras: an export for ONNX Runtime or LiteRT is scored without them.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.scoring.runs import CONFIG_FILE
from deepfake_tfdata.startup import import_tensorflow

if TYPE_CHECKING:
    from deepfake_tfdata.evaluation.calibration import DetectorCalibration

EXPORT_FILE = "export.json"
# More at once are hardly faster on a CPU: a clip is T images by itself.
_CLIPS_AT_ONCE = 4
# A clip by region: uint8 [T, H, W, 3].
ClipFrames: TypeAlias = Mapping[str, np.ndarray]
# Called before each piece of a longer work: what it raises ends that.
GoOn: TypeAlias = Callable[[], object]


@dataclass(frozen=True)
class ClipOutputs:
    """What a detector says of N clips, in their order.

    Attributes:
        logits: float32 [N], positive for fake.
        attention: float32 [N, T], what each frame weighs, summed over regions; None if the head weighs none.
    """

    logits: np.ndarray
    attention: np.ndarray | None


@dataclass(frozen=True)
class ClipExplanation:
    """Why a detector says what it says of a clip; see `scoring.explanation`.

    Attributes:
        seen: uint8 [R, T, S, S, 3], what its network saw of each of R regions.
        activation: float32 [R, T, h, w], what each place of that adds to the logit.
        replacement: float32 [T], by how much the logit falls if a neighbour stands in a frame's place.
        view: float32 [16], the numbers of `pixels.VIEW` of the first region; None of resized clips.
    """

    seen: np.ndarray
    activation: np.ndarray
    replacement: np.ndarray
    view: np.ndarray | None


def to_the_end() -> None:
    """Goes on."""


class AppliedDetector(Protocol):
    """A detector as it was trained: it looks at clips in the way in which its run did.

    Attributes:
        name: such as 'mouth/attention'.
        place: the run's folder, or the export's.
        spec: of the clips that it takes.
        regions: that a clip has.
        head, view: as in the run's options; no view is ''.
        frame_size: side of what the network sees, pixels.
        fingerprint: of the run's model.keras, SHA-256.
        versions: of what computes, by name.
        calibration: None where there is none, or one of another model.
    """

    name: str
    place: Path
    spec: ClipSpec
    regions: tuple[str, ...]
    head: str
    view: str
    frame_size: int
    fingerprint: str
    versions: Mapping[str, str]
    calibration: "DetectorCalibration | None"

    def score(self, clips: Sequence[ClipFrames], go_on: GoOn = to_the_end) -> ClipOutputs:
        """Scores clips, each whole and by itself.

        Args:
            clips: by region uint8 [T, H, W, 3]; native ones of any size, resized ones of the spec's.
            go_on: called before every few clips.

        Raises:
            ValueError: they are not such clips.
        """

    def explain(self, clip: ClipFrames) -> ClipExplanation | None:
        """Why it says what it says of a clip; None where that can't be told: an export has no gradients."""


def open_detector(place: Path) -> AppliedDetector:
    """Opens a run's folder, or an export's.

    Raises:
        UserError: it is neither, it is damaged, or what runs it is not installed.
    """
    if (place / EXPORT_FILE).is_file():
        detector: AppliedDetector = import_module("deepfake_tfdata.scoring.exported").ExportedDetector(place)
    elif (place / CONFIG_FILE).is_file():
        import_tensorflow()
        detector = import_module("deepfake_tfdata.scoring.run_detector").RunDetector(place)
    else:
        raise UserError(
            f"no detector in {place}; name the --workdir of 'python -m deepfake_tfdata.train', or the "
            "--output of 'python -m deepfake_tfdata.export'"
        )
    return detector


def file_fingerprint(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def calibration_of(place: Path, fingerprint: str) -> "DetectorCalibration | None":
    """The calibration in a folder; None where there is none, or one of a model with another fingerprint.

    Raises:
        UserError: it can't be read.
    """
    # Here, for what reads a calibration loads more than a detector needs.
    from deepfake_tfdata.evaluation.calibration import CALIBRATION_FILE, read_calibration

    if not (place / CALIBRATION_FILE).is_file():
        return None
    calibration = read_calibration(place)
    return calibration if calibration.model == fingerprint else None


def scored(
    detector: AppliedDetector,
    clips: Sequence[ClipFrames],
    run: Callable[[Sequence[ClipFrames]], Sequence[np.ndarray]],
    *,
    weighs: bool,
    same_size: bool,
    go_on: GoOn,
) -> ClipOutputs:
    """What a detector says of clips, a few at a time.

    Args:
        detector: whose clips they must be.
        clips: in any order and of any sizes.
        run: from some of them to logits [B] and, if the head weighs frames, weights [B, T] or [B, R, T].
        weighs: whether it does.
        same_size: whether `run` takes clips of one size only.
        go_on: called before each `run`.

    Raises:
        ValueError: they are not such clips.
    """
    require_clips(clips, detector.regions, detector.spec)
    num_frames = detector.spec.num_frames
    logits = np.zeros(len(clips), np.float32)
    attention = np.zeros((len(clips), num_frames), np.float32) if weighs else None
    for rows in in_batches(clips, detector.regions, _CLIPS_AT_ONCE, same_size):
        go_on()
        found, *weights = run([clips[row] for row in rows])
        logits[rows] = found.reshape(-1)
        if attention is not None:
            attention[rows] = weights[0].reshape(len(rows), -1, num_frames).sum(axis=1)
    return ClipOutputs(logits, attention)


def in_batches(
    clips: Sequence[ClipFrames], regions: Sequence[str], at_once: int, same_size: bool
) -> Iterator[list[int]]:
    """The positions of clips that are scored together: at most so many, of sizes that are alike.

    Args:
        clips: of any sizes.
        regions: that they have.
        at_once: how many.
        same_size: whether those of a batch must be of one size.
    """

    def size(row: int) -> tuple[int, ...]:
        return tuple(side for region in regions for side in clips[row][region].shape)

    rows = sorted(range(len(clips)), key=size)
    groups: list[list[int]] = []
    for row in rows:
        if groups and (not same_size or size(groups[-1][0]) == size(row)):
            groups[-1].append(row)
        else:
            groups.append([row])
    for group in groups:
        # Of about one size, for a runtime may fill the smaller ones up.
        for batch in np.array_split(group, -(-len(group) // at_once)):
            yield batch.tolist()


def require_clips(clips: Sequence[ClipFrames], regions: Sequence[str], spec: ClipSpec) -> None:
    """Refuses what a detector doesn't take.

    Raises:
        ValueError: a clip lacks a region, or its frames are of another number, kind or size.
    """
    side = None if spec.geometry == "native" else spec.frame_size
    expected = f"uint8 [{spec.num_frames}, {side or 'H'}, {side or 'W'}, 3]"
    for row, clip in enumerate(clips):
        for region in regions:
            frames = clip.get(region)
            if frames is None:
                raise ValueError(f"clip {row} has no region {region}")
            shape = (spec.num_frames, *((side, side) if side else frames.shape[1:3]), 3)
            if frames.dtype != np.uint8 or frames.shape != shape or 0 in shape:
                raise ValueError(
                    f"{region} of clip {row} is {frames.dtype} {list(frames.shape)}; use {expected}"
                )
