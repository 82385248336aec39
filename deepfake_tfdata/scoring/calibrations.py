"""The calibration of a run: fitted on the videos set aside, kept beside its model, judged on others."""

import logging
from contextlib import suppress
from dataclasses import replace

import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.calibration import (
    DetectorCalibration,
    ReferenceScores,
    fit_calibration,
    read_calibration,
    video_logits,
    write_calibration,
)
from deepfake_tfdata.evaluation.calibration_report import judge_calibration
from deepfake_tfdata.evaluation.predictions import Predictions, per_video
from deepfake_tfdata.input.set_aside import CALIBRATION
from deepfake_tfdata.input.video_ranges import video_ranges
from deepfake_tfdata.scoring.applied import file_fingerprint
from deepfake_tfdata.scoring.run_evaluation import EvaluatedRun, RunScorer, to_predictions
from deepfake_tfdata.scoring.runs import MODEL_FILE
from deepfake_tfdata.storage import as_path

_LOG = logging.getLogger(__name__)


def with_calibration(scorer: RunScorer, evaluated: EvaluatedRun) -> EvaluatedRun:
    """An evaluation with the block `calibration` among its metrics, or with a note why there is none.

    Only the test split has one: what the run was trained, chosen or calibrated on says nothing of how well
    it is calibrated. Other data is judged by what was fitted on the run's own, and never fitted on.

    Args:
        scorer: of the run.
        evaluated: what it found.
    """
    if evaluated.split == CALIBRATION and not evaluated.metrics["data"].get("corruption"):
        with suppress(UserError):  # a run without a test split is calibrated by this
            calibrate(scorer, evaluated.metrics["data"]["folder"])
    if evaluated.split != "test":
        return evaluated
    metrics = evaluated.metrics
    own = metrics["data"]["identity"] == scorer.run.data
    try:
        detector = calibrate(scorer, metrics["data"]["folder"] if own else "")
    except UserError as error:
        notes = [*metrics["notes"], f"not calibrated: {error}"]
        return replace(evaluated, metrics={**metrics, "notes": notes})
    block = judge_calibration(detector, per_video(evaluated.predictions))
    return replace(
        evaluated,
        metrics={**metrics, "calibration": block},
        calibration=fit_calibration(detector.reference),
    )


def calibrate(scorer: RunScorer, data: str = "") -> DetectorCalibration:
    """The calibration of a run's model: read, or fitted and written where there is none of it.

    Args:
        scorer: of the run.
        data: the folder of the run's own records, if it is no longer that which the run read.

    Raises:
        UserError: nothing was set aside, of one class only, or the run's own records are gone.
    """
    run, workdir = scorer.run, scorer.workdir
    try:
        model = file_fingerprint(workdir / MODEL_FILE)
    except FileNotFoundError:
        raise UserError(
            f"no model in {workdir}; the run ended before its first epoch did, so train again"
        ) from None
    with suppress(UserError):  # there is none, or it is damaged
        kept = read_calibration(workdir)
        if (kept.model, kept.data) == (model, run.data):
            return kept
    if not run.input.calibration:
        raise UserError(
            "training saw the whole validation; train again with --calibration=0.5 into a new --workdir"
        )
    folder = data or run.input.data
    train = scorer.find("train", folder)
    if train.conversion.identity != run.data:
        raise UserError(
            f"{folder} no longer holds the records that the run was trained on; convert them again"
        )
    scores, shards = scorer.score(CALIBRATION, folder)
    videos = per_video(to_predictions(scores, shards))
    fakes = videos.manipulations[videos.labels == 1]
    calibration = DetectorCalibration(
        reference_scores(videos),
        video_ranges(as_path(folder), train),
        model,
        run.data,
        tuple(sorted(set(fakes.tolist()))),
    )
    fit_calibration(calibration.reference)
    write_calibration(workdir, calibration)
    _LOG.info("calibrated on %d videos that training never saw", len(videos))
    return calibration


def reference_scores(videos: Predictions) -> ReferenceScores:
    """The scores of videos as a calibration takes them.

    Args:
        videos: one row a video.
    """
    return ReferenceScores(
        videos.video_keys, videos.labels, videos.components, np.asarray(video_logits(videos.scores))
    )
