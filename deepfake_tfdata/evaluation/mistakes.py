"""The videos a detector was most wrong about."""

from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.evaluation.predictions import Predictions, per_video


@dataclass(frozen=True)
class Mistake:
    """A video that was called wrong.

    Attributes:
        video: its key, such as 'Face2Face/000_003'.
        label: 0 real, 1 fake.
        score: the probability of fake.
        most_attended: the frame to look at, as text; '' where the detector weighs no frames.
    """

    video: str
    label: int
    score: float
    most_attended: str


@dataclass(frozen=True)
class Mistakes:
    """The worst mistakes of a detector.

    Attributes:
        worst: the videos furthest from their label first.
        count: of all mistakes, those left out too.
    """

    worst: list[Mistake]
    count: int


def worst_mistakes(predictions: Predictions, threshold: float, limit: int) -> Mistakes:
    """Finds the wrong videos furthest from their label.

    Args:
        predictions: of clips.
        threshold: a video whose score reaches it is called fake.
        limit: how many to name.

    Raises:
        UserError: the clips of a video contradict each other.
    """
    videos = per_video(predictions)
    error = np.abs(videos.scores - videos.labels)
    wrong = np.flatnonzero((videos.scores >= threshold) != (videos.labels == 1))
    worst = wrong[np.argsort(-error[wrong], kind="stable")][:limit]
    mistakes = []
    for video in worst:
        key = str(videos.video_keys[video])
        attended = _most_attended(predictions, key)
        mistakes.append(Mistake(key, int(videos.labels[video]), float(videos.scores[video]), attended))
    return Mistakes(mistakes, len(wrong))


def _most_attended(predictions: Predictions, video_key: str) -> str:
    """The frame with most attention in the most wrong clip of a video."""
    if predictions.attention is None:
        return ""
    clips = np.flatnonzero(predictions.video_keys == video_key)
    clip = clips[np.argmax(np.abs(predictions.scores - predictions.labels)[clips])]
    position = np.argmax(predictions.attention[clip])
    places = [f"position {position + 1} of {predictions.attention.shape[1]}"]
    if predictions.frame_indices is not None:
        places = [f"frame {predictions.frame_indices[clip, position]}"]
    if predictions.timestamps is not None:
        places.append(f"{predictions.timestamps[clip, position]:.2f} s")
    return ", ".join(places)
