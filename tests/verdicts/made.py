"""Verdict's ingredients made by hand: a detector that reads brightness, a calibration, inspected videos."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.special import expit

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.clips.inspected import InspectedVideo, SeenFace, Shot
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.evaluation.calibration import DetectorCalibration, ReferenceScores
from deepfake_tfdata.pixels import view_numbers
from deepfake_tfdata.scoring.applied import ClipExplanation, ClipOutputs, GoOn, to_the_end
from deepfake_tfdata.verdicts.work import ExaminedVideo

SPEC = ClipSpec(num_frames=4, frame_size=32)
SIDE = 24
# Of a crop the detector sees the lower right: top, left, bottom, right.
SEEN = (12, 8, 24, 24)
# Of that, the upper eighth is hidden from it.
HIDDEN = (12, 8, 13.5, 24)
VIDEO = Video("clip.mp4", "clip.mp4", 0, "video", "clip.mp4")
RANGES = {
    "face_pixels": (40.0, 120.0),
    "bits_a_pixel": (0.05, 0.4),
    "coverage": (0.6, 1.0),
    "frame_seconds": (0.04, 0.4),
}


def reference(num_people: int = 24, seed: int = 0, separation: float = 4.0) -> ReferenceScores:
    """A real and a fake video of each of so many people, whose logits are so far apart."""
    random = np.random.default_rng(seed)
    labels = np.tile([0, 1], num_people)
    people = np.repeat([f"{person:03d}" for person in range(num_people)], 2)
    keys = np.char.add(people, np.where(labels == 1, "-fake", "-real"))
    logits = separation * (labels - 0.5) + random.normal(size=len(labels))
    return ReferenceScores(keys, labels, people, logits)


def calibration(**changes: object) -> DetectorCalibration:
    """Of that reference."""
    values = {
        "reference": reference(),
        "ranges": RANGES,
        "model": "0" * 64,
        "data": "made",
        "methods": ("Face2Face",),
    }
    return DetectorCalibration(**{**values, **changes})


class BrightnessDetector:
    """Its logit is the mean brightness of the first frame less 128, over ten; it attends to the second."""

    def __init__(
        self,
        calibrated: DetectorCalibration | None,
        region: str = "mouth",
        spec: ClipSpec = SPEC,
        gain: float = 0.1,
    ) -> None:
        self.name = f"{region}/attention"
        self.place = Path(f"runs/{region}")
        self.spec, self.regions, self.head, self.view = spec, (region,), "attention", ""
        self.frame_size, self.fingerprint = 32, "0" * 64
        self.versions = {"made": "1"}
        self.calibration = calibrated
        self._gain = gain

    def score(self, clips: Sequence[dict[str, np.ndarray]], go_on: GoOn = to_the_end) -> ClipOutputs:
        """As the class says."""
        go_on()
        logits = [self._gain * (float(clip[self.regions[0]][0].mean()) - 128) for clip in clips]
        attention = np.tile([0.1, 0.7, 0.1, 0.1], (len(clips), 1))
        return ClipOutputs(np.array(logits, np.float32), attention.astype(np.float32))

    def explain(self, clip: dict[str, np.ndarray]) -> ClipExplanation:
        """Of what it sees the upper left speaks, twice as much in the first frame; more speaks against it."""
        activation = np.zeros((1, 4, 2, 2), np.float32)
        activation[0, :, 0, 0] = [2, 1, 1, 1]
        activation[0, :, 1, 1] = -4
        seen = np.repeat(clip[self.regions[0]][None, :, :1, :1], 32, axis=2).repeat(32, axis=3)
        view = view_numbers((0, 0, SIDE, SIDE), SEEN, hidden=HIDDEN)
        return ClipExplanation(seen, activation, np.float32([1.5, 0.5, 0.0, -0.5]), np.float32(view))


def clip(first: int, brightness: int, region: str = "mouth") -> Clip:
    """Four frames, two apart, of one brightness."""
    frames = [np.full((SIDE, SIDE, 3), brightness, np.uint8).tobytes()] * 4
    indices = np.arange(first, first + 8, 2)
    boxes = np.tile(np.float32([100, 60, 124, 84]), (4, 1))
    return Clip(region, VIDEO, SPEC.hash, frames, SIDE, SIDE, indices, indices / 25, boxes, np.ones(4, bool))


def face(brightness: Sequence[int], shot: int = 0, start: int = 0, **changes: object) -> SeenFace:
    """A face with a clip of each brightness, overlapping by half; in the third frame it is not found."""
    clips = [clip(start + 4 * number, value) for number, value in enumerate(brightness)]
    eyes = [clip(start + 4 * number, value, "eyes") for number, value in enumerate(brightness)]
    indices = start + np.arange(0, 4 * len(brightness) + 4, 2)
    found = np.arange(len(indices)) != 2
    boxes = np.where(found[:, None], np.float32([90, 40, 150, 100]), 0)
    values = {
        "shot": shot,
        "clips": {"mouth": clips, "eyes": eyes},
        "frame_indices": indices,
        "timestamps": indices / 25,
        "boxes": boxes,
        "found": found,
        "face_pixels": 60.0,
        "coverage": 0.9,
        "motion": 3.0,
    }
    return SeenFace(**{**values, **changes})


def inspected(*faces: SeenFace, shots: Sequence[Shot] = (Shot(0, 199, 0.0, 7.96),)) -> InspectedVideo:
    """A video of 320x180 with these faces, and pictures of every fourth frame up to the 24th."""
    header = {
        "container": "mov,mp4,m4a,3gp,3g2,mj2",
        "codec": "h264",
        "width": 320,
        "height": 180,
        "frames_per_second": 25.0,
        "bits_a_pixel": 0.1,
        "has_sound": False,
    }
    return InspectedVideo(
        shots=tuple(shots),
        seen=faces,
        header=header,
        pictures={index: _jpeg(index) for index in range(0, 28, 4)},
        without_face=(24,),
    )


def examined(video: InspectedVideo | None, **changes: object) -> ExaminedVideo:
    """As a worker hands it over."""
    return ExaminedVideo(**{"sha256": "ab" * 32, "inspected": video, **changes})


def score_of(brightness: int) -> float:
    """What the detector says of that brightness."""
    return float(expit(0.1 * (brightness - 128)))


def _jpeg(index: int) -> bytes:
    from io import BytesIO

    picture = np.full((180, 320, 3), 60 + 5 * index, np.uint8)
    picture[40:100, 90:150] = 200
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG")
    return file.getvalue()
