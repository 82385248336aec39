"""A trained run scored on a split of its own or of other records."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from scipy.special import expit

from deepfake_tfdata.evaluation.calibration import Calibration
from deepfake_tfdata.evaluation.evaluations import Evaluation
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import Predictions
from deepfake_tfdata.input.batches import load_in_order
from deepfake_tfdata.input.corruptions import Corruption, corruption_text
from deepfake_tfdata.input.reading import explained_damage
from deepfake_tfdata.input.shards import Shards
from deepfake_tfdata.model.detector import weighs_frames, with_attention
from deepfake_tfdata.scoring.clip_scores import ClipScores, Predict, make_predict, score_clips
from deepfake_tfdata.scoring.load import load_detector
from deepfake_tfdata.scoring.local_devices import explained_lack_of_memory, local_strategy
from deepfake_tfdata.scoring.run_clips import clips_for_run, options_of_run, result_name
from deepfake_tfdata.scoring.runs import Run, read_run
from deepfake_tfdata.scoring.sessions import describe_sessions


@dataclass(frozen=True)
class EvaluatedRun(Evaluation):
    """A run's evaluation.

    Attributes:
        split: train, val, test or calibration.
        folder: where it belongs: WORKDIR/evaluation/SPLIT for the data that the run was trained on,
            WORKDIR/evaluation/SPLIT-IDENTITY for any other, each with -NAME-STRENGTH of a corruption.
        context: what was evaluated, for a report.
        calibration: what its scores were held to be worth; None where nobody asked.
    """

    split: str
    folder: Path
    context: dict[str, Any]
    calibration: Calibration | None = None


class RunScorer:
    """A run's best model, loaded once for all that it is to score.

    Args:
        workdir: of the run.
        batch_size: clips at once, over all devices; the run's own if 0.

    Raises:
        UserError: there is no run.
    """

    def __init__(self, workdir: Path, batch_size: int = 0) -> None:
        self.workdir, self.run, self._batch_size = workdir, read_run(workdir), batch_size

    def evaluate(self, split: str, data: str = "", corruption: Corruption | None = None) -> EvaluatedRun:
        """Scores a split, and says what the scores say.

        The arguments are those of `score`.
        """
        scores, shards = self.score(split, data, corruption)
        return evaluated(self.run, self.workdir, scores, shards, data or self.run.input.data, corruption)

    def score(
        self, split: str, data: str = "", corruption: Corruption | None = None
    ) -> tuple[ClipScores, Shards]:
        """Scores a split.

        Args:
            split: train, val, test or calibration.
            data: the folder of records; the run's own if ''.
            corruption: of every clip, such as ('codec', 40).

        Raises:
            UserError: no trained model, no records, or records of another spec.
        """
        options = options_of_run(self.run, data, self._batch_size)
        shards = clips_for_run(self.run, self.workdir, options, split)
        predict = self._predict
        with explained_damage(shards), explained_lack_of_memory(options.batch_size, training=False):
            return score_clips(predict, load_in_order(options, shards, corruption=corruption)), shards

    def find(self, split: str, data: str = "") -> Shards:
        """The clips of a split, as `score` reads them."""
        return clips_for_run(self.run, self.workdir, options_of_run(self.run, data, self._batch_size), split)

    @cached_property
    def _predict(self) -> Predict:
        strategy = local_strategy()
        with strategy.scope():
            detector = scored_model(load_detector(self.workdir))
        return make_predict(detector, strategy)


def evaluated(
    run: Run,
    workdir: Path,
    scores: ClipScores,
    shards: Shards,
    data: str,
    corruption: Corruption | None = None,
) -> EvaluatedRun:
    """What the scores of a split say of a run.

    Args:
        run: whose detector gave the scores.
        workdir: of the run.
        scores: of all clips of the split, in order.
        shards: of the split.
        data: the folder of records, for a report.
        corruption: that the clips went through.
    """
    predictions = to_predictions(scores, shards)
    about = {"folder": data, **shards.conversion.about}
    name = result_name(run, shards)
    if corruption:
        text = corruption_text(corruption)
        about |= {"name": f"{about['name']}, {text}", "corruption": text}
        name = f"{name}-{text.replace(':', '-')}"
    return EvaluatedRun(
        run.name,
        predictions,
        {**evaluate(predictions, planned=shards.planned), "data": about},
        shards.split,
        workdir / "evaluation" / name,
        {**_context(run), **{f"data, {part}": value for part, value in about.items()}},
    )


def scored_model(detector: keras.Model) -> keras.Model:
    """The detector, with the attention among its outputs where its head weighs frames."""
    return with_attention(detector) if weighs_frames(detector) else detector


def to_predictions(scores: ClipScores, shards: Shards) -> Predictions:
    """Scores as the evaluation takes them: logits become probabilities.

    Args:
        scores: of all clips of the shards, in order.
        shards: whose index knows what each clip is, and how they depend on each other.

    Raises:
        ValueError: the scores are of other clips.
    """
    clips = shards.clips[0]
    if [clip.label for clip in clips] != scores.labels.tolist():
        raise ValueError(f"{len(scores.labels)} scores are not of the {len(clips)} clips of {shards.split}")
    text = {
        f"{name}s": np.array([getattr(clip, name) for clip in clips], str)
        for name in ("clip_id", "video_id", "manipulation", "target_id", "source_id", "component")
    }
    return Predictions(
        **text,
        folds=np.full(len(clips), shards.fold),
        labels=scores.labels,
        scores=expit(scores.logits.astype(np.float64)),
        attention=scores.attention_over_frames,
        frame_indices=scores.features.get("frame_indices"),
        timestamps=scores.features.get("timestamps"),
    )


def _context(run: Run) -> dict[str, Any]:
    """What the report says of a run."""
    shown = ("region", "head", "backbone", "weights", "batch_size", "learning_rate", "seed")
    return {
        **{name: run.config[name] for name in shown},
        **{name: value for name in ("view", "fold") if (value := getattr(run.input, name))},
        "precision": run.precision,
        "clip spec": run.spec_hash,
        **{f"parameters, {part}": f"{count:,}" for part, count in run.parameters.items()},
        **describe_sessions(run.sessions),
    }
