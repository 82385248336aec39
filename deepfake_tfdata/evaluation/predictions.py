"""What a detector said of each clip, and of each video."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.clusters import Clusters, clusters_of, components_of
from deepfake_tfdata.files import write_text

_REQUIRED = ("clip_id", "video_id", "label", "score")
_OPTIONAL = ("manipulation", "target_id", "source_id", "component", "fold")
_TEXT = ("clip_ids", "video_ids", "manipulations", "target_ids", "source_ids", "components", "folds")
# Of a fake in a table that does not say.
UNKNOWN_METHOD = "fake"
_PER_FRAME = ("attention", "frame_indices", "timestamps")


def _unknown() -> np.ndarray:
    return np.array([], str)


@dataclass(frozen=True, eq=False)
class Predictions:
    """The scores of N clips, with what evaluation needs to know of each.

    Sequences are taken too, and stored as arrays.

    Attributes:
        clip_ids: str [N], unique within a video.
        video_ids: str [N], unique within a manipulation.
        manipulations: str [N], 'original' or the method that made the video.
        target_ids: str [N], the source video a clip shows: what resampling must keep together.
        labels: int64 [N], 0 real, 1 fake.
        scores: float64 [N], the probability of fake.
        source_ids: str [N], who drove the manipulation; '' for a real video. Where none are given, all ''.
        components: str [N], the identities that fakes join; videos of different ones are independent. Where
            none are given, they follow from target_ids and source_ids.
        folds: str [N], such as 2/5: of which fold the detector's test split was; '' outside a
            cross-validation. Where none are given, all ''.
        attention: float64 [N, T] or None, the weight of every frame; rows sum to one.
        frame_indices: int64 [N, T] or None, positions in the video.
        timestamps: float64 [N, T] or None, seconds.

    Raises:
        UserError: there are no clips, a clip occurs twice, a label is not 0 or 1, a score is no probability.
        ValueError: the shapes differ.
    """

    clip_ids: np.ndarray
    video_ids: np.ndarray
    manipulations: np.ndarray
    target_ids: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    source_ids: np.ndarray = field(default_factory=_unknown)
    components: np.ndarray = field(default_factory=_unknown)
    folds: np.ndarray = field(default_factory=_unknown)
    attention: np.ndarray | None = None
    frame_indices: np.ndarray | None = None
    timestamps: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in _TEXT:
            self._store(name, np.asarray(getattr(self, name), dtype=str))
        for name in ("source_ids", "folds"):
            if not getattr(self, name).size:
                self._store(name, np.full(self.target_ids.shape, ""))
        if not self.components.size:
            self._store("components", components_of(self.target_ids, self.source_ids))
        self._store("scores", np.asarray(self.scores, dtype=np.float64))
        for name in _PER_FRAME:
            if getattr(self, name) is not None:
                dtype = np.int64 if name == "frame_indices" else np.float64
                self._store(name, np.asarray(getattr(self, name), dtype=dtype))
        self._check_shapes()
        self._check_labels()
        self._check_scores()
        self._check_unique()
        self._store("labels", np.asarray(self.labels, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def video_keys(self) -> np.ndarray:
        """str [N], unique to a video: 000_003 alone is not, it exists in every manipulation."""
        return np.char.add(np.char.add(self.manipulations, "/"), self.video_ids)

    @property
    def clusters(self) -> Clusters:
        """What its rows are made of that is independent of each other."""
        return clusters_of(self.components, self.target_ids, self.source_ids)

    def select(self, rows: np.ndarray | Sequence[int]) -> "Predictions":
        """The predictions of some rows.

        Args:
            rows: int or bool index of the clips to keep.
        """
        optional = {name: value[rows] for name in _PER_FRAME if (value := getattr(self, name)) is not None}
        required = {name: getattr(self, name)[rows] for name in (*_TEXT, "labels", "scores")}
        return Predictions(**required, **optional)

    def _store(self, name: str, value: np.ndarray) -> None:
        object.__setattr__(self, name, value)  # the dataclass is frozen

    def _check_shapes(self) -> None:
        if self.scores.shape == (0,):
            raise UserError("no predictions to evaluate; check that the split has videos with faces")
        for name in (*_TEXT, "labels", "scores"):
            shape = np.shape(getattr(self, name))
            if shape != (len(self.scores),):
                raise ValueError(f"{name} has shape {shape}, scores {self.scores.shape}")
        per_frame = {name: value.shape for name in _PER_FRAME if (value := getattr(self, name)) is not None}
        if any(len(shape) != 2 or shape[0] != len(self) for shape in per_frame.values()):
            raise ValueError(f"expected shape [{len(self)}, frames] for {per_frame}")
        if len(set(per_frame.values())) > 1:
            raise ValueError(f"the numbers of frames differ: {per_frame}")

    def _check_labels(self) -> None:
        wrong = ~np.isin(self.labels, (0, 1))
        if wrong.any():
            first = np.flatnonzero(wrong)[0]
            clip, label = self.clip_ids[first], self.labels[first]
            raise UserError(f"clip '{clip}' has label {label}; use 0 (real) or 1 (fake)")

    def _check_scores(self) -> None:
        wrong = ~((self.scores >= 0) & (self.scores <= 1))
        if wrong.any():
            first = np.flatnonzero(wrong)[0]
            raise UserError(
                f"{wrong.sum()} of {len(self)} scores are no probability, first {self.scores[first]} of clip "
                f"'{self.clip_ids[first]}'; pass finite values from 0 to 1 (did training diverge?)"
            )

    def _check_unique(self) -> None:
        seen: set[tuple[str, str]] = set()
        for clip in zip(self.video_keys.tolist(), self.clip_ids.tolist(), strict=True):
            if clip in seen:
                raise UserError(f"clip '{clip[1]}' of video '{clip[0]}' was scored twice; score it once")
            seen.add(clip)


def concatenated(parts: Sequence[Predictions]) -> Predictions:
    """The clips of several predictions, such as those of the folds of a cross-validation, without attention.

    Raises:
        UserError: a clip is in two of them.
    """
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in (*_TEXT, "labels", "scores")
    }
    return Predictions(**columns)


def per_video(predictions: Predictions) -> Predictions:
    """Averages the clips of each video.

    Args:
        predictions: of clips.

    Returns:
        One row a video, in order of first appearance, its clip_id the video's key. Attention is the mean over
        the clips; frame indices and timestamps are left out, since a video's clips show different frames.

    Raises:
        UserError: the clips of a video differ in label or in target.
    """
    first, video = group_clips(predictions.video_keys)
    for name in ("labels", "target_ids", "source_ids", "components", "folds"):
        values = getattr(predictions, name)
        differs = values != values[first][video]
        if differs.any():
            key = predictions.video_keys[np.flatnonzero(differs)[0]]
            raise UserError(f"the clips of video '{key}' differ in {name}; a video has one, so convert again")
    attention = predictions.attention
    return replace(
        predictions.select(first),
        clip_ids=predictions.video_keys[first],
        scores=mean_scores(predictions.scores, video),
        attention=None if attention is None else _means(attention, video),
        frame_indices=None,
        timestamps=None,
    )


def group_clips(video_keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which clips are of one video.

    Args:
        video_keys: str [N].

    Returns:
        int64 [V], the first clip of each video, rising; int64 [N], the video of each clip in that order.
    """
    _, first, video = np.unique(video_keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return first[order], np.argsort(order)[video]


def mean_scores(scores: np.ndarray, video: np.ndarray) -> np.ndarray:
    """The score of each video, float64 [V]: the mean probability over its clips.

    Of probabilities, not logits: it stays bounded, so that one saturated clip (a logit without limit) can't
    outvote all others.

    Args:
        scores: float64 [N], probabilities.
        video: int64 [N], from `group_clips`.
    """
    return _means(scores, video)


def _means(values: np.ndarray, video: np.ndarray) -> np.ndarray:
    """The mean of the rows of each group."""
    counts = np.bincount(video)
    sums = np.zeros((len(counts), *values.shape[1:]))
    np.add.at(sums, video, values)
    return (sums.T / counts).T


def write_csv(predictions: Predictions, path: Path) -> None:
    """Writes clip_id, video_id, label, score and the identities, a line a clip."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_REQUIRED, *_OPTIONAL))
    columns = (
        "clip_ids",
        "video_ids",
        "labels",
        "scores",
        "manipulations",
        "target_ids",
        "source_ids",
        "components",
        "folds",
    )
    writer.writerows(zip(*(getattr(predictions, name).tolist() for name in columns), strict=True))
    write_text(path, text.getvalue())


def _label(text: str) -> int:
    """Of '1', and of '1.0', which other tools write; ValueError of anything else."""
    number = float(text)
    if not number.is_integer():
        raise ValueError(f"{text} is no label")
    return int(number)


def read_csv(path: Path) -> Predictions:
    """Reads what `write_csv` wrote, or any table with its first four columns.

    Args:
        path: a CSV file with a header. Without a manipulation column a fake's is 'fake'; without a target_id
            column every video is its own target; components that are not given follow from targets and
            sources; without a fold column there are none.

    Raises:
        UserError: there is no such file, a column is missing, or a value can't be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # a spreadsheet begins with a mark
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise UserError(f"no {path}; run the evaluate command first") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is no table that can be read ({error}); save it as CSV in UTF-8") from None
    missing = [name for name in _REQUIRED if rows and rows[0].get(name) is None]
    if missing:
        raise UserError(f"{path} has no column {', '.join(missing)}; expected {','.join(_REQUIRED)}")
    try:
        labels = [_label(row["label"]) for row in rows]
        scores = [float(row["score"]) for row in rows]
    except (TypeError, ValueError) as error:
        raise UserError(f"{path} has a label or score that is no number: {error}") from None
    components = [row.get("component") or "" for row in rows]
    return Predictions(
        clip_ids=np.array([row["clip_id"] for row in rows], str),
        video_ids=np.array([row["video_id"] for row in rows], str),
        manipulations=np.array(
            [
                row.get("manipulation") or (UNKNOWN_METHOD if label else "original")
                for row, label in zip(rows, labels, strict=True)
            ],
            str,
        ),
        target_ids=np.array([row.get("target_id") or row["video_id"] for row in rows], str),
        labels=np.array(labels),
        scores=np.array(scores),
        source_ids=np.array([row.get("source_id") or "" for row in rows], str),
        components=np.array(components if all(components) else [], str),
        folds=np.array([row.get("fold") or "" for row in rows], str),
    )
