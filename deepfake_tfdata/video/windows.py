"""Which frames of a video are looked at for a verdict: windows, clip by clip, over all its shots."""

import math
from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.clips.inspected import InspectionPlan, Shot
from deepfake_tfdata.video.frame_sampling import consecutive_indices, linspace_indices
from deepfake_tfdata.video.shots import Shots


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of a video.

    Attributes:
        shots: the frames of each.
        reasons: a shot, why it has no window; '' where it has.
        windows: int64 [W, T], the frames of each window, in order of time.
        shot_of: int64 [W], a window, its shot.
        passed_over: how many more there are than the plan allows.
    """

    shots: list[range]
    reasons: list[str]
    windows: np.ndarray
    shot_of: np.ndarray
    passed_over: int

    @property
    def frames(self) -> np.ndarray:
        """All frames to decode, increasing: those of the windows, and the middle one of any other shot."""
        middles = [
            shot[len(shot) // 2] for shot, reason in zip(self.shots, self.reasons, strict=True) if reason
        ]
        return np.union1d(self.windows.ravel(), np.array(middles, np.int64))

    @property
    def rows(self) -> np.ndarray:
        """Where the frames of each window are among all frames, int64 [W, T]."""
        return np.searchsorted(self.frames, self.windows)

    def of_shot(self, shot: int) -> list[int]:
        """The numbers of a shot's windows."""
        numbers: list[int] = np.flatnonzero(self.shot_of == shot).tolist()
        return numbers

    def described(self, timestamps: np.ndarray, rate: float) -> tuple[Shot, ...]:
        """All shots.

        Args:
            timestamps: [M], seconds, of all frames.
            rate: of the video, frames a second.
        """

        def time(frame: int) -> float:
            beyond = frame - np.clip(frame, self.frames[0], self.frames[-1])
            return round(float(np.interp(frame, self.frames, timestamps) + beyond / rate), 3)

        return tuple(
            Shot(shot[0], shot[-1], time(shot[0]), time(shot[-1]), reason)
            for shot, reason in zip(self.shots, self.reasons, strict=True)
        )


def plan_windows(shots: Shots, plan: InspectionPlan, rate: float) -> Windows:
    """The windows of a video; no window goes through a cut.

    Args:
        shots: of the video.
        plan: says of what clips.
        rate: of the video, frames a second.
    """
    spec, ranges = plan.spec, shots.ranges
    span = None if plan.longest_span is None else plan.longest_span * rate
    of_shots = [_of_shot(shot, plan, span) for shot in ranges]
    windows = np.concatenate([*of_shots, np.zeros((0, spec.num_frames), np.int64)])
    shot_of = np.repeat(np.arange(len(ranges)), [len(each) for each in of_shots])
    kept = evenly(len(windows), plan.max_windows)

    def reason(number: int) -> str:
        if not len(of_shots[number]):
            return f"{len(ranges[number])} frames, a clip needs {spec.num_frames}"
        return "" if number in shot_of[kept] else f"{len(kept)} of {len(windows)} windows are looked at"

    reasons = [reason(number) for number in range(len(ranges))]
    return Windows(ranges, reasons, windows[kept], shot_of[kept], len(windows) - len(kept))


def spread_windows(num_frames_in_shot: int, num_frames: int, span: float | None) -> np.ndarray:
    """Evenly spaced frames: one window over the whole shot, or several that overlap by half or more.

    Args:
        num_frames_in_shot: how many frames the shot has, T at least.
        num_frames: T.
        span: from the first to the last frame of a window at most, in frames; None is no limit. Where it is
            shorter than T adjacent frames, these are taken.

    Returns:
        int64 [W, T], the first window from the first frame on, the last one to the last.
    """
    last = num_frames_in_shot - 1
    # Half a frame more: whoever measured the span measured it in times that are rounded.
    if span is None or num_frames == 1 or last <= span + 0.5:
        return linspace_indices(num_frames_in_shot, num_frames)[None]
    step = max(1.0, span / (num_frames - 1))
    # One grid for all windows, as coarse as may be: their frames lie no closer than those of whole shots do.
    count = min(math.ceil(last / step) + 1, num_frames_in_shot)
    spare = count - num_frames
    starts = np.linspace(0, spare, math.ceil(spare / (num_frames // 2)) + 1).round().astype(np.int64)
    windows: np.ndarray = linspace_indices(num_frames_in_shot, count)[starts[:, None] + np.arange(num_frames)]
    return windows


def adjacent_windows(num_frames_in_shot: int, num_frames: int, max_clips: int) -> np.ndarray:
    """Runs of T adjacent frames that overlap by half, at the shot's ends and between its equal parts by more.

    Args:
        num_frames_in_shot: how many frames the shot has, T at least.
        num_frames: T.
        max_clips: how many the converter takes; these are among them.

    Returns:
        int64 [W, T]; every frame is in one.
    """
    hop, last = max(1, num_frames // 2), num_frames_in_shot - num_frames
    middles = consecutive_indices(num_frames_in_shot, num_frames, max_clips)[:, 0]
    starts = {0, last}
    for part, middle in enumerate(middles.tolist()):
        first, after = (number * num_frames_in_shot // len(middles) for number in (part, part + 1))
        starts.update(range(middle, max(0, first - hop), -hop), range(middle, min(after, last), hop))
    return np.array(sorted(starts))[:, None] + np.arange(num_frames)


def evenly(count: int, wanted: int) -> np.ndarray:
    """Positions of as many as are wanted of so many, evenly spread, int64 [min(count, wanted)]."""
    if wanted >= count:
        return np.arange(count)
    return np.floor((np.arange(wanted) + 0.5) * count / wanted).astype(np.int64)


def _of_shot(shot: range, plan: InspectionPlan, span: float | None) -> np.ndarray:
    spec = plan.spec
    if len(shot) < spec.num_frames:
        return np.zeros((0, spec.num_frames), np.int64)
    if spec.sampling == "linspace":
        return shot.start + spread_windows(len(shot), spec.num_frames, span)
    return shot.start + adjacent_windows(len(shot), spec.num_frames, spec.clips_per_video)
