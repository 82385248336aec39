"""From an examined video to its verdict, and to what can be shown of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.clips.inspected import InspectedVideo, SeenFace
from deepfake_tfdata.scoring.applied import ClipOutputs
from deepfake_tfdata.verdicts.ensemble import Clips, Ensemble
from deepfake_tfdata.verdicts.judgement import (
    ABSTAINED,
    Judgement,
    Measured,
    Standard,
    judge_faces,
    judge_video,
)
from deepfake_tfdata.verdicts.verdict import Basis, FaceVerdict, ScoredClip, SeenFrame, Verdict
from deepfake_tfdata.verdicts.work import ExaminedVideo


@dataclass(frozen=True)
class Exhibit:
    """What a page shows of a video beside its verdict.

    Attributes:
        pictures: by frame, a JPEG of it.
        crops: by face and frame, what the first detector saw of it, uint8 [H, W, 3].
        maps: by face and frame, what each place of that crop adds to the logit, float [h, w], where that was
            computed.
    """

    pictures: Mapping[int, bytes]
    crops: Mapping[tuple[int, int], np.ndarray]
    maps: Mapping[tuple[int, int], np.ndarray]


@dataclass(frozen=True)
class _Scored:
    """A face and what the detectors said of it; of a face without a clip they said nothing."""

    face: SeenFace
    outputs: Sequence[ClipOutputs]
    logit: float | None


def conclude(
    name: str, path: str, examined: ExaminedVideo, ensemble: Ensemble, basis: Basis
) -> tuple[Verdict, Exhibit]:
    """The verdict on a video.

    Args:
        name: of the video.
        path: of its file, as it was named.
        examined: by a worker.
        ensemble: that judges it.
        basis: what all verdicts rest on.
    """
    file = {"name": path, "sha256": examined.sha256}
    inspected = examined.inspected
    if inspected is None:
        judgement = Judgement(ABSTAINED, (examined.reason,))
        return Verdict(name, judgement, (), (), (), file, basis, examined.status), Exhibit({}, {}, {})
    standard = ensemble.standard(basis.level)
    scored = [_scored(face, ensemble) for face in inspected.seen]
    measured = [_measured(each, inspected) for each in scored]
    judgements = judge_faces(measured, standard)
    faces = [
        _face_verdict(*of_face, standard, ensemble)
        for of_face in zip(scored, measured, judgements, strict=True)
    ]
    verdict = Verdict(
        name,
        judge_video(judgements, _problems(inspected)),
        faces,
        inspected.shots,
        inspected.without_face,
        {**file, **inspected.header},
        basis,
    )
    return verdict, Exhibit(inspected.pictures, _crops(inspected, ensemble), {})


def basis_of(ensemble: Ensemble, level: float, versions: Mapping[str, str], command: str) -> Basis:
    """What verdicts of these detectors rest on.

    Args:
        ensemble: the detectors.
        level: the share of real videos that may be accused.
        versions: of what decodes and looks for faces.
        command: as it was given.
    """
    standard = ensemble.standard(level)
    calibration: dict[str, Any] = {"ranges": {name: list(ends) for name, ends in standard.ranges.items()}}
    if standard.calibration is None:
        calibration["missing"] = standard.why_none
    else:
        reference = standard.calibration.reference
        calibration |= {
            "methods": list(ensemble.methods),
            "num_real": int(np.sum(reference.labels == 0)),
            "num_fake": int(np.sum(reference.labels == 1)),
            "num_people": len(set(reference.components.tolist())),
            "log10_cap": [standard.calibration.low, standard.calibration.high],
            "smallest_p": standard.calibration.smallest_p(),
        }
    return Basis(ensemble.describe(), calibration, level, {**ensemble.versions, **versions}, command)


def pixels(clip: Clip) -> np.ndarray:
    """The raw frames of an inspected clip, uint8 [T, H, W, 3]."""
    frames = np.frombuffer(b"".join(clip.frames), np.uint8)
    return frames.reshape(len(clip.frames), clip.height, clip.width, 3)


def _scored(face: SeenFace, ensemble: Ensemble) -> _Scored:
    windows: Clips = [
        dict(zip(face.clips, map(pixels, clips), strict=True))
        for clips in zip(*face.clips.values(), strict=True)
    ]
    if not windows:
        return _Scored(face, (), None)
    outputs = ensemble.score(windows)
    return _Scored(face, outputs, ensemble.logit(outputs))


def _measured(scored: _Scored, inspected: InspectedVideo) -> Measured:
    face = scored.face
    clips = next(iter(face.clips.values()), ())
    values = {
        "face_pixels": face.face_pixels,
        "coverage": face.coverage,
        "bits_a_pixel": inspected.header.get("bits_a_pixel"),
        "frame_seconds": float(np.median([np.diff(clip.timestamps).mean() for clip in clips]))
        if clips
        else None,
    }
    known = {name: float(value) for name, value in values.items() if value is not None}
    return Measured(scored.logit, known, face.motion)


def _face_verdict(
    scored: _Scored, measured: Measured, judgement: Judgement, standard: Standard, ensemble: Ensemble
) -> FaceVerdict:
    face = scored.face
    clips = next(iter(face.clips.values()), ())
    return FaceVerdict(
        judgement,
        face.shot,
        None if scored.logit is None else float(expit(scored.logit)),
        measured.values,
        face.motion,
        [_scored_clip(clip, row, scored, standard, ensemble) for row, clip in enumerate(clips)],
        face.windows_left_out,
        _frames(face, clips, scored.outputs),
    )


def _scored_clip(clip: Clip, row: int, scored: _Scored, standard: Standard, ensemble: Ensemble) -> ScoredClip:
    logit = ensemble.logit(scored.outputs, slice(row, row + 1))
    ratio = None
    if standard.calibration is not None:
        ratio = float(standard.calibration.log10_likelihood_ratio(np.array([logit]))[0])
    return ScoredClip(
        int(clip.frame_indices[0]),
        int(clip.frame_indices[-1]),
        round(float(clip.timestamps[0]), 3),
        round(float(clip.timestamps[-1]), 3),
        float(expit(logit)),
        ratio,
    )


def _frames(face: SeenFace, clips: Sequence[Clip], outputs: Sequence[ClipOutputs]) -> list[SeenFrame]:
    attention = _attention(clips, outputs)
    return [
        SeenFrame(
            int(index),
            round(float(seconds), 3),
            tuple(round(float(side), 1) for side in box) if found else None,  # type: ignore[arg-type]
            attention.get(int(index)),
        )
        for index, seconds, box, found in zip(
            face.frame_indices, face.timestamps, face.boxes, face.found, strict=True
        )
    ]


def _attention(clips: Sequence[Clip], outputs: Sequence[ClipOutputs]) -> dict[int, float]:
    """By frame, its weight times the number of frames, averaged over clips and over detectors that weigh."""
    weights: dict[int, list[float]] = {}
    for output in outputs:
        if output.attention is None:
            continue
        for clip, row in zip(clips, output.attention, strict=True):
            for index, weight in zip(clip.frame_indices.tolist(), row.tolist(), strict=True):
                weights.setdefault(index, []).append(weight * len(row))
    return {index: round(float(np.mean(values)), 4) for index, values in weights.items()}


def _problems(inspected: InspectedVideo) -> list[str]:
    """Why parts of the video were not looked at, where no face could be judged otherwise."""
    if inspected.seen:
        return []
    reasons = list(dict.fromkeys(shot.reason for shot in inspected.shots if shot.reason))
    if reasons:
        return [f"no shot is long enough: {reasons[0]}"]
    return ["there is no face in it"]


def _crops(inspected: InspectedVideo, ensemble: Ensemble) -> dict[tuple[int, int], np.ndarray]:
    """What the first detector saw of each face in the frames that there are pictures of."""
    region = ensemble.detectors[0].regions[0]
    crops: dict[tuple[int, int], np.ndarray] = {}
    for number, face in enumerate(inspected.seen):
        for clip in face.clips.get(region, ()):
            shown = [
                place for place, index in enumerate(clip.frame_indices) if int(index) in inspected.pictures
            ]
            frames = pixels(clip) if shown else None
            for place in shown:
                assert frames is not None
                crops.setdefault((number, int(clip.frame_indices[place])), frames[place])
    return crops
