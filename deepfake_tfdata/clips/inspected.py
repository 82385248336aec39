"""What is to be looked for in a video of one's own, what was seen in it, and what is to be drawn on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.regions import Region
from deepfake_tfdata.clips.spec import ClipSpec


@dataclass(frozen=True)
class InspectionPlan:
    """How to look at a video.

    Attributes:
        spec: of the clips, that of the records which the detector was trained on.
        regions: to cut.
        longest_span: seconds between the first and the last frame of a clip with spread frames, at most;
            longer shots are covered by several. None spreads one over every shot, as the converter does.
        max_windows: of a video; of more, so many are looked at, evenly spread. A clip is of one face in one
            window; of several faces there are no more clips in all, but one of each at least.
    """

    spec: ClipSpec
    regions: tuple[Region, ...]
    longest_span: float | None = None
    max_windows: int = 32


@dataclass(frozen=True)
class Shot:
    """A shot of a video.

    Attributes:
        first, last: its frames, both included.
        start, end: when these are shown, seconds.
        reason: '' where it was examined; otherwise why not, such as '12 frames, a clip needs 32'.
    """

    first: int
    last: int
    start: float
    end: float
    reason: str = ""


@dataclass(frozen=True, eq=False)
class SeenFace:
    """One face through one shot of M sampled frames.

    Attributes:
        shot: its position among the video's shots.
        clips: by region, its windows in order of time, the same ones in every region. `Clip.frames` are bare
            pixels, uint8 [height, width, 3] row by row, as they are after the spec's encoding and decoding:
            a detector sees what it was trained on. A window that lacks the face is left out; a face that is
            seen, but too rarely in every window, has none.
        frame_indices, timestamps: int64 [M], and float64 [M] seconds; of all sampled frames of the shot.
        boxes: float32 [M, 4], (left, top, right, bottom) in pixels of the frame as it is shown, as detected;
            zero where the face was not found.
        found: bool [M].
        face_pixels: median side of its box, as the ledger's face_size.
        coverage: the share of the frames of its windows in which it was found. Where it is not in the shot,
            or hardly, there is no window of it.
        motion: how much it changes within half a second (or from one sampled frame to the next, if that is
            longer), once its pictures are brought into line: the largest differences of two pictures, grey
            levels, the upper quartile of many pairs. None where it was seen in a single frame.
        windows_left_out: of the shot's, those in which too few faces were found.
        windows_passed_over: with it, left out since there would be too many clips, or bytes of them.
    """

    shot: int
    clips: Mapping[str, Sequence[Clip]]
    frame_indices: np.ndarray
    timestamps: np.ndarray
    boxes: np.ndarray
    found: np.ndarray
    face_pixels: float
    coverage: float
    motion: float | None
    windows_left_out: int = 0
    windows_passed_over: int = 0


@dataclass(frozen=True)
class InspectedVideo(ProcessedVideo):
    """What was seen in a video; it comes from a worker as a converted video does. `clips` is empty.

    Attributes:
        shots: all, in order.
        seen: its faces, the largest and most persistent first.
        header: container, codec, encoder, width and height (as shown), rotation (degrees clockwise from the
            stored to the shown picture), frames_per_second, num_frames, seconds, bits_a_pixel (None where
            that is not known), has_sound, file_bytes; plain values, ready for JSON.
        pictures: by frame, JPEG files of the whole frame as it is shown, at most 640 pixels wide: at most 64,
            of sampled frames and spread over the video. Of a shot that was not examined its middle frame
            counts as sampled here.
        without_face: the sampled frames in which no face was found at all.
        windows_passed_over: of all shots, those beyond the plan's max_windows.
        faces_passed_over: those beyond the most that are looked at.
    """

    shots: tuple[Shot, ...] = ()
    seen: tuple[SeenFace, ...] = ()
    header: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[int, bytes] = field(default_factory=dict)
    without_face: tuple[int, ...] = ()
    windows_passed_over: int = 0
    faces_passed_over: int = 0


@dataclass(frozen=True, eq=False)
class DrawnFace:
    """A face to be drawn on a video.

    Attributes:
        frame_indices: int [M], increasing.
        boxes: float [M, 4], pixels of the frame as it is shown.
        found: bool [M]; the box is drawn from the first to the last of these, interpolated between them.
        text: a few words beside the box.
        colour: red, green, blue, 0 to 255.
    """

    frame_indices: np.ndarray
    boxes: np.ndarray
    found: np.ndarray
    text: str
    colour: tuple[int, int, int]
