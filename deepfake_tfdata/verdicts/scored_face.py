"""A face of a video with what the detectors said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.clips.inspected import SeenFace
from deepfake_tfdata.evaluation.calibration import Calibration
from deepfake_tfdata.scoring.applied import ClipExplanation, ClipOutputs, GoOn, to_the_end
from deepfake_tfdata.verdicts.ensemble import Clips, Ensemble
from deepfake_tfdata.verdicts.judgement import Judgement, Measured, Standard
from deepfake_tfdata.verdicts.verdict import FaceVerdict, ScoredClip, SeenFrame


@dataclass(frozen=True)
class ScoredFace:
    """A face, and what was said of it.

    Attributes:
        face: as it was seen.
        outputs: of each detector for all its clips; none where it has no clip.
        logits: of each clip, as the detectors say together.
        logit: of the face; None where it has no clip.
        explanation: why the first detector says what it says of the highest scoring clip; None where that
            was not asked for or can't be told.
    """

    face: SeenFace
    outputs: Sequence[ClipOutputs] = ()
    logits: Sequence[float] = ()
    logit: float | None = None
    explanation: ClipExplanation | None = None

    @property
    def clips(self) -> Sequence[Clip]:
        """In one of the regions: their frames, times and places are those of all."""
        return next(iter(self.face.clips.values()), ())

    @property
    def strongest(self) -> int:
        """Which clip scores highest."""
        return int(np.argmax(self.logits))

    def measured(self, header: Mapping[str, Any]) -> Measured:
        """What decides whether it can be judged, with what the video's header says."""
        times = [np.diff(clip.timestamps) for clip in self.clips]
        values = {
            "face_pixels": self.face.face_pixels,
            "coverage": self.face.coverage,
            "bits_a_pixel": header.get("bits_a_pixel"),
            "frame_seconds": np.median(times) if times else None,
        }
        known = {name: float(value) for name, value in values.items() if value is not None}
        return Measured(self.logit, known, self.face.motion)

    def verdict(self, measured: Measured, judgement: Judgement, standard: Standard) -> FaceVerdict:
        """What verdict.json says of it; if it is not judged, no clip of it has a likelihood ratio."""
        calibration = None if judgement.log10_likelihood_ratio is None else standard.calibration
        return FaceVerdict(
            judgement,
            self.face.shot,
            None if self.logit is None else float(expit(self.logit)),
            measured.values,
            self.face.motion,
            [_scored_clip(*each, calibration) for each in zip(self.clips, self.logits, strict=True)],
            self.face.windows_left_out,
            self._frames(),
        )

    def _frames(self) -> list[SeenFrame]:
        attention, evidence = self._attention(), self._evidence()
        face = self.face
        rows = zip(
            face.frame_indices.tolist(),
            face.timestamps.tolist(),
            face.boxes.astype(float).round(1).tolist(),
            face.found.tolist(),
            strict=True,
        )
        return [
            SeenFrame(
                index,
                round(seconds, 3),
                (left, top, right, bottom) if found else None,
                attention.get(index),
                evidence.get(index),
            )
            for index, seconds, (left, top, right, bottom), found in rows
        ]

    def _attention(self) -> dict[int, float]:
        """By frame, its weight times the number of frames: the mean over clips and detectors that weigh."""
        weights: dict[int, list[float]] = {}
        for attention in (output.attention for output in self.outputs if output.attention is not None):
            for clip, row in zip(self.clips, attention, strict=True):
                for index, weight in zip(clip.frame_indices.tolist(), row.tolist(), strict=True):
                    weights.setdefault(index, []).append(weight * len(row))
        return {index: round(float(np.mean(values)), 4) for index, values in weights.items()}

    def _evidence(self) -> dict[int, float]:
        """By frame of the strongest clip, by how much its logit falls without it."""
        if self.explanation is None:
            return {}
        indices = self.clips[self.strongest].frame_indices.tolist()
        falls = self.explanation.replacement.tolist()
        return {index: round(fall, 4) for index, fall in zip(indices, falls, strict=True)}


def score_face(face: SeenFace, ensemble: Ensemble, explain: bool, go_on: GoOn = to_the_end) -> ScoredFace:
    """What the detectors say of a face, and the first of them why, if so asked."""
    clips: Clips = [
        dict(zip(face.clips, map(pixels, of_regions), strict=True))
        for of_regions in zip(*face.clips.values(), strict=True)
    ]
    if not clips:
        return ScoredFace(face)
    outputs = ensemble.score(clips, go_on)
    logits = [ensemble.logit(outputs, slice(row, row + 1)) for row in range(len(clips))]
    explanation = ensemble.detectors[0].explain(clips[int(np.argmax(logits))]) if explain else None
    return ScoredFace(face, outputs, logits, ensemble.logit(outputs), explanation)


def pixels(clip: Clip) -> np.ndarray:
    """The raw frames of an inspected clip, uint8 [T, H, W, 3]."""
    frames = np.frombuffer(b"".join(clip.frames), np.uint8)
    return frames.reshape(len(clip.frames), clip.height, clip.width, 3)


def _scored_clip(clip: Clip, logit: float, calibration: Calibration | None) -> ScoredClip:
    ratio = None
    if calibration is not None:
        ratio = float(calibration.log10_likelihood_ratio(np.array([logit]))[0])
    return ScoredClip(
        int(clip.frame_indices[0]),
        int(clip.frame_indices[-1]),
        round(float(clip.timestamps[0]), 3),
        round(float(clip.timestamps[-1]), 3),
        float(expit(logit)),
        ratio,
    )
