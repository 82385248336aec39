"""What was planted where, as `tools.synthetic` writes it: the mark's box and strength in every frame."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.scoring.explanation.pairs import Fake


@dataclass(frozen=True, eq=False)
class Planted:
    """The mark in a fake video of F frames.

    Attributes:
        boxes: float [F, 4], around it, pixels of the video, (left, top, right, bottom).
        strengths: float [F], or None where it is as strong in all frames.
    """

    boxes: np.ndarray
    strengths: np.ndarray | None


class Truth:
    """What is planted in the videos of a data set.

    Args:
        videos: by the path of each video below the data set's folder; None where nothing is planted.
    """

    def __init__(self, videos: Mapping[str, Planted | None]) -> None:
        self._videos: dict[tuple[str, str], Planted | None] = {}
        for path, planted in videos.items():
            *folders, _ = PurePosixPath(path).parts
            for folder in folders:  # one of them is the method's
                self._videos[folder, PurePosixPath(path).stem] = planted

    def knows(self, fake: Fake) -> bool:
        """Whether it says anything of its video."""
        return (fake.manipulation, fake.video_id) in self._videos

    def of(self, fake: Fake) -> Planted | None:
        """What is planted in its video; None where nothing is, or nothing is known of it."""
        return self._videos.get((fake.manipulation, fake.video_id))


def read_truth(path: Path) -> Truth:
    """Reads a ground_truth.json.

    Raises:
        UserError: there is none, or it is of another kind.
    """
    try:
        videos = json.loads(path.read_text(encoding="utf-8"))["videos"]
        return Truth({name: _planted(video["artefact"]) for name, video in videos.items()})
    except FileNotFoundError:
        raise UserError(
            f"no {path}; name the ground_truth.json that python -m tools.synthetic wrote"
        ) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise UserError(f"{path} is no ground truth of python -m tools.synthetic; name its file") from None


def _planted(artefact: Mapping[str, list[float]] | None) -> Planted | None:
    if artefact is None:
        return None
    boxes = np.array(artefact["boxes"], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    strengths = artefact.get("strengths")
    return Planted(boxes, None if strengths is None else np.array(strengths, np.float64))
