"""What verdict.json holds: the verdict on a video, on each of its faces, and what they rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from deepfake_tfdata.clips.inspected import Shot
from deepfake_tfdata.verdicts.judgement import Judgement

VERDICT_FILE, PAGE_FILE = "verdict.json", "verdict.html"


@dataclass(frozen=True)
class ScoredClip:
    """One clip of a face.

    Attributes:
        first, last: frames, positions in the video.
        start, end: seconds.
        score: the probability of a fake, as the detectors have it, not calibrated.
        log10_likelihood_ratio: as if the video were this clip; None where the face is not judged.
    """

    first: int
    last: int
    start: float
    end: float
    score: float
    log10_likelihood_ratio: float | None


@dataclass(frozen=True)
class SeenFrame:
    """One frame in which a face was looked for.

    Attributes:
        index, seconds: in the video.
        box: left, top, right, bottom in pixels of the frame as shown; None where the face was not found.
        attention: what the frame weighs in its clips, 1 being as much as each; None where no head weighs
            frames.
        evidence: by how much the clip's logit falls if a neighbour stands in the frame's place; None where
            that was not tried.
    """

    index: int
    seconds: float
    box: tuple[float, float, float, float] | None
    attention: float | None = None
    evidence: float | None = None


@dataclass(frozen=True)
class FaceVerdict:
    """One face through one shot.

    Attributes:
        judgement: of it.
        shot: position of the shot.
        score: the probability of a fake over its clips, not calibrated; None where it gave none.
        measured: what decides whether it can be judged, by name.
        motion: grey levels between sampled frames; None where there is one only.
        clips: scored, in order of time.
        clips_left_out: in which it was found too rarely.
        frames: in which it was looked for.
    """

    judgement: Judgement
    shot: int
    score: float | None
    measured: Mapping[str, float]
    motion: float | None
    clips: Sequence[ScoredClip]
    clips_left_out: int
    frames: Sequence[SeenFrame]

    def to_dict(self) -> dict[str, Any]:
        """For verdict.json."""
        return {
            **self.judgement.to_dict(),
            "shot": self.shot,
            "score": self.score,
            **self.measured,
            "motion": self.motion,
            "clips": [asdict(clip) for clip in self.clips],
            "clips_left_out": self.clips_left_out,
            "frames": [asdict(frame) for frame in self.frames],
        }


@dataclass(frozen=True)
class Basis:
    """What all verdicts of a run of the command rest on.

    Attributes:
        model: the detectors, as Ensemble.describe gives them.
        calibration: what it was fitted on and what it supports; empty where there is none.
        options: that decide verdicts, by name.
        versions: of what computed it.
        command: that computed it.
    """

    model: Sequence[Mapping[str, Any]]
    calibration: Mapping[str, Any]
    options: Mapping[str, float]
    versions: Mapping[str, str]
    command: str

    @property
    def level(self) -> float:
        """The share of real videos that may be accused."""
        return self.options["max_false_alarms"] / 1000


@dataclass(frozen=True)
class Verdict:
    """On one video.

    Attributes:
        name: of the video, its folder's too.
        judgement: of the whole.
        faces: the largest and most persistent first.
        shots: of the video, in order.
        frames_without_face: sampled frames in which no face was found.
        clips_passed_over: that the video would have had beyond the most that are looked at.
        file: its name, hash, size, container and codec.
        basis: what it rests on.
        status: 'ok', or why the file gave nothing in a word, as in the ledger.
    """

    name: str
    judgement: Judgement
    faces: Sequence[FaceVerdict]
    shots: Sequence[Shot]
    frames_without_face: Sequence[int]
    clips_passed_over: int
    file: Mapping[str, Any]
    basis: Basis = field(repr=False)
    status: str = "ok"

    def to_dict(self) -> dict[str, Any]:
        """What verdict.json holds."""
        return {
            "sha256": self.file["sha256"],
            "status": self.status,
            **self.judgement.to_dict(),
            "num_faces": self.judgement.num_faces,
            "num_judged": self.judgement.num_judged,
            "faces": [face.to_dict() for face in self.faces],
            "shots": [asdict(shot) for shot in self.shots],
            "frames_without_face": list(self.frames_without_face),
            "clips_passed_over": self.clips_passed_over,
            "file": dict(self.file),
            "propositions": propositions(self.judgement, self.basis.calibration.get("methods", ())),
            "model": list(self.basis.model),
            "calibration": dict(self.basis.calibration),
            **self.basis.options,
            "versions": dict(self.basis.versions),
            "command": self.basis.command,
        }


def propositions(judgement: Judgement, methods: Sequence[str]) -> dict[str, str]:
    """What the likelihood ratio of a video weighs against each other."""
    by = f" by {' or '.join(methods)}" if methods else ""
    one, none = "a face in this video", "no face in it"
    if 0 < judgement.num_judged < judgement.num_faces:
        one = f"one of the faces judged, {judgement.num_judged} of {judgement.num_faces}, in this video"
        none = "none of these"
    return {
        "manipulated": f"{one} was manipulated{by}, as in the fakes of the calibration",
        "not_manipulated": f"{none} was manipulated; it is like the real videos of the calibration",
    }
