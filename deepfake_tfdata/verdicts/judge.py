"""From a video to its verdict, without a file: what a worker does, and what is made of it here."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from deepfake_tfdata.clips.inspected import InspectedVideo, InspectionPlan
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.outcome import Outcome
from deepfake_tfdata.scoring.applied import GoOn, to_the_end
from deepfake_tfdata.storage import as_path
from deepfake_tfdata.verdicts.conclude import basis_of, conclude
from deepfake_tfdata.verdicts.ensemble import Ensemble
from deepfake_tfdata.verdicts.exhibit import Exhibit
from deepfake_tfdata.verdicts.options import VerdictOptions
from deepfake_tfdata.verdicts.verdict import Verdict
from deepfake_tfdata.verdicts.work import ExaminedVideo, examine, hash_file


class Judge:
    """Judges videos, one after another.

    Args:
        ensemble: the detectors.
        options: what verdicts are held to.
        inspect: a worker's work on a video; picklable.
        versions: of what decodes and looks for faces.
        command: as it was given.

    Attributes:
        ensemble: as given.
        basis: what all verdicts rest on.
        work: a worker's work, which knows nothing of detectors.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        options: VerdictOptions,
        inspect: Callable[[InspectionPlan, Video], InspectedVideo],
        versions: Mapping[str, str],
        command: str,
    ) -> None:
        self.ensemble = ensemble
        self.basis = basis_of(ensemble, options, versions, command)
        plan = ensemble.plan(options.max_clips)
        self.work: Callable[[Video], ExaminedVideo] = partial(examine, inspect=partial(inspect, plan))

    def conclude(
        self, video: Video, outcome: Outcome, shown_as: str = "", go_on: GoOn = to_the_end
    ) -> tuple[Verdict, Exhibit]:
        """The verdict on a video, whatever became of it in the worker.

        Args:
            video: as the worker had it.
            outcome: of the worker.
            shown_as: what its file is called; its path where nothing is given.
            go_on: called before each piece of the work.
        """
        examined = outcome.processed
        if not isinstance(examined, ExaminedVideo):
            path = as_path(video.path)
            digest = hash_file(path) if isinstance(path, Path) else ""
            examined = ExaminedVideo(sha256=digest, status=outcome.status, reason=outcome.reason)
        return conclude(video.video_id, shown_as or video.path, examined, self.ensemble, self.basis, go_on)
