"""Evaluates a trained run on a split: loads its model, scores its clips, writes what came out."""

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepfake_tfdata.clips.spec import require_same_spec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.comparison import Evaluation
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import Predictions
from deepfake_tfdata.input.reading import explained_damage
from deepfake_tfdata.model.detector import with_attention
from deepfake_tfdata.reports.evaluation_report import write_evaluation
from deepfake_tfdata.training.config import Run, read_run
from deepfake_tfdata.training.data import find_split, load_in_order
from deepfake_tfdata.training.devices import explained_lack_of_memory, local_strategy
from deepfake_tfdata.training.loop import MODEL_FILE
from deepfake_tfdata.training.scoring import ClipScores, make_predict, score_clips


def evaluate_run(
    workdir: Path, split: str, data: str | None = None, batch_size: int = 0
) -> tuple[Evaluation, Path]:
    """Scores a split with a run's best model and writes WORKDIR/evaluation/SPLIT.

    Where the records hold other videos, or divide them otherwise, than those of the run, the folder is
    SPLIT-PLAN, with the fingerprint of that division.

    Args:
        workdir: of the run.
        split: train, val or test.
        data: the folder of records; the run's own if None.
        batch_size: clips at once, over all devices; the run's own if 0.

    Returns:
        The metrics with the predictions, and the folder they are in.

    Raises:
        UserError: no trained model, no records, or records of another spec.
    """
    run = read_run(workdir)
    config = dataclasses.replace(
        run.config, data=data or run.config.data, batch_size=batch_size or run.config.batch_size
    )
    shards = find_split(config, split)
    require_same_spec(
        run.spec, shards.spec.to_dict(), f"the run in {workdir}", f"the records in {config.data}"
    )
    strategy = local_strategy()
    with strategy.scope():
        model = with_attention(_load_model(workdir / MODEL_FILE))
    clips = load_in_order(config, shards)
    with explained_damage(shards), explained_lack_of_memory(config.batch_size, training=False):
        predictions = to_predictions(score_clips(make_predict(model, strategy), clips))
    name = f"{run.config.region}/{run.config.head}"
    context = _context(run)
    # Other videos than the run's own must not pass for its result.
    folder = workdir / "evaluation" / (split if shards.plan == run.plan else f"{split}-{shards.plan}")
    context["data"], context["plan of the videos"] = config.data, shards.plan
    metrics = evaluate(predictions, num_videos_in_split=shards.num_videos)
    write_evaluation(folder, predictions, metrics, title=f"{name} on {split}", context=context)
    return Evaluation(name, predictions, metrics), folder


def to_predictions(scores: ClipScores) -> Predictions:
    """Scores as the evaluation takes them: logits become probabilities, bytes become text."""
    text = {
        name: np.char.decode(scores.features[name].astype(bytes), "utf-8")
        for name in ("clip_id", "video_id", "manipulation", "target_id")
    }
    return Predictions(
        clip_ids=text["clip_id"],
        video_ids=text["video_id"],
        manipulations=text["manipulation"],
        target_ids=text["target_id"],
        labels=scores.labels,
        # The logistic function, written so that it can't overflow.
        scores=0.5 * (1.0 + np.tanh(0.5 * scores.logits.astype(np.float64))),
        attention=scores.attention_over_frames,
        frame_indices=scores.features["frame_indices"],
        timestamps=scores.features["timestamps"],
    )


def _load_model(path: Path) -> keras.Model:
    if not path.is_file():
        raise UserError(f"no model in {path}; the run ended before its first epoch did, so train again")
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} can't be loaded ({error}); train again into a new --workdir") from None


def _context(run: Run) -> dict[str, Any]:
    """What the report says of a run."""
    shown = ("region", "head", "backbone", "weights", "batch_size", "learning_rate", "seed")
    return {
        **{name: run.config.flags[name] for name in shown},
        "precision": run.precision,
        "clip spec": run.spec_hash,
        **{f"parameters, {part}": f"{count:,}" for part, count in run.parameters.items()},
        "revision": run.revision,
        **run.versions,
    }
