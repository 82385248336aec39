"""The pages of the server itself; those of verdicts are the ones that `predict` writes."""

from collections.abc import Sequence

from deepfake_tfdata.reports.pages import render
from deepfake_tfdata.scoring.applied import AppliedDetector
from deepfake_tfdata.serving.job import LOOKING, SCORING, WAITING, Job
from deepfake_tfdata.serving.options import ServingOptions
from deepfake_tfdata.serving.uploads import FIELD

STAGES = {
    WAITING: "Waiting for its turn",
    LOOKING: "Looking for faces",
    SCORING: "Scoring",
}


def upload_page(detectors: Sequence[AppliedDetector], options: ServingOptions, nonce: str) -> str:
    """Where a video is dropped.

    Args:
        detectors: that judge it.
        options: what they say of limits.
        nonce: of its script.
    """
    return render(
        "upload.html",
        title="A verdict on a video",
        lead="Is a face in it manipulated? Evidence, none found, or no verdict and why. Never “real”.",
        nonce=nonce,
        field=FIELD,
        stages=STAGES,
        max_bytes=options.max_upload_bytes,
        max_mib=options.max_upload_mib,
        keep_minutes=f"{options.keep_minutes:g}",
        detectors=[
            {
                "name": each.name,
                "regions": ", ".join(each.regions),
                "calibrated": each.calibration is not None,
                "methods": ", ".join(each.calibration.methods) if each.calibration else "",
            }
            for each in detectors
        ],
    )


def waiting_page(job: Job, num_before: int) -> str:
    """For a browser without scripts: what is going on, looked at again by itself."""
    before = f"{num_before} before it" if num_before else ""
    return render(
        "waiting.html", title=f"Verdict on {job.upload.name}", lead=STAGES[job.progress], before=before
    )


def failed_page(job: Job, why: str) -> str:
    """There is no verdict."""
    return render("waiting.html", title=f"No verdict on {job.upload.name}", lead=f"{why}.", before="")
