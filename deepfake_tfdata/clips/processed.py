"""What the converter's work on one video gives: its clips, and how well the face was followed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deepfake_tfdata.clips.clip import Clip


@dataclass(frozen=True)
class FaceStatistics:
    """How a video's face was followed; the ledger has these fields under the same names.

    Jitter is the median length of the second difference of the box's centre between sampled frames: a face
    that stays or moves steadily has none. It is None where no three frames in a row show the face.

    Attributes:
        frames_found: in how many sampled frames the face was seen.
        track: 'own', 'shared' with the original, or 'own: ' and why not shared; '' if nothing was found.
        face_size: median side of the face box, pixels.
        size_range: how many times larger the face gets within a clip, its size smoothed; the largest of all.
        jitter_per_frame, jitter_smooth: of the detector's boxes, and of the smoothed track, as a share of
            face_size.
        jitter_per_frame_px, jitter_smooth_px: the same in pixels.
        mask_overlap: median share of the manipulated area that lies in the detected box; None without a mask.
        shots: how many the video has; None where that was not looked at.
        cuts: how many of the cuts between them lie within clips.
        bits_a_pixel: bits of the coded video for every pixel of it; None of images.
        frame_seconds: median seconds between the frames of a clip.
    """

    frames_found: int = 0
    track: str = ""
    face_size: float | None = None
    size_range: float | None = None
    jitter_per_frame: float | None = None
    jitter_smooth: float | None = None
    jitter_per_frame_px: float | None = None
    jitter_smooth_px: float | None = None
    mask_overlap: float | None = None
    shots: int | None = None
    cuts: int | None = None
    bits_a_pixel: float | None = None
    frame_seconds: float | None = None


@dataclass(frozen=True)
class ProcessedVideo:
    """What one video gave.

    Attributes:
        clips: by region; every region has the same clips in the same order.
        faces: for the ledger.
        content: a hash of the video's content, for the ledger.
    """

    clips: Mapping[str, Sequence[Clip]] = field(default_factory=dict)
    faces: FaceStatistics = field(default_factory=FaceStatistics)
    content: str = ""

    @property
    def num_clips(self) -> int:
        """How many clips each region has."""
        return max(map(len, self.clips.values()), default=0)
