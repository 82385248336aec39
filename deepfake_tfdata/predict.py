"""Gives a verdict on videos of one's own: evidence of manipulation, none found, or abstained, and why.

python -m deepfake_tfdata.predict --workdir=runs/mouth_attention --video=clip.mp4 --output=verdicts

Writes a folder a video, with verdict.json and verdict.html. Run again, it makes what is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deepfake_tfdata import cli
from deepfake_tfdata.clips.inspected import InspectedVideo, InspectionPlan
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, group, option
from deepfake_tfdata.progress import Progress
from deepfake_tfdata.records.options import ExecutionOptions
from deepfake_tfdata.storage import user_path
from deepfake_tfdata.verdicts.options import VerdictOptions
from deepfake_tfdata.verdicts.videos import find_videos
from deepfake_tfdata.video.annotate import annotated
from deepfake_tfdata.video.detectors import content_hash, load_detector
from deepfake_tfdata.video.inspect import inspect_video
from deepfake_tfdata.video.options import DetectorOptions
from deepfake_tfdata.video.versions import versions


@dataclass(frozen=True)
class PredictConfig(Options):
    """Which videos, and who judges."""

    workdir: tuple[str, ...] = option(
        meaning="of a run, or an export of one; several judge together", is_path=True
    )
    output: str = option(meaning="folder for the verdicts, or its URL", is_path=True)
    video: tuple[str, ...] = option((), "files", is_path=True)
    source: str = option("", "a folder instead: all videos below it", is_path=True)
    annotate: bool = option(False, "write the video with its faces drawn on it, too, annotated.mp4")
    verdict: VerdictOptions = group(VerdictOptions)
    detector_files: DetectorOptions = group(DetectorOptions, without=("boxes",))
    execution: ExecutionOptions = group(ExecutionOptions, without=("limit", "shard_mib", "retry_failed"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.annotate and "://" in self.output:
            raise UserError(f"--annotate writes local files, not into --output={self.output}; leave it out")
        if bool(self.video) == bool(self.source):
            raise UserError("give videos with --video=FILE[,FILE...], or a folder of them with --source=DIR")


@dataclass(frozen=True)
class Inspection:
    """A worker's work on a video: the faces in it, found as in the records that a detector was trained on.

    Attributes:
        detector_path: of the face detector's file; '' where it reads none.
    """

    detector_path: str

    def __call__(self, plan: InspectionPlan, video: Video) -> InspectedVideo:
        return inspect_video(video, plan, self.detector_path)


def main(config: PredictConfig) -> None:
    """Judges every video, and says what came out."""
    videos = find_videos(config.video, config.source)
    # Only now: a mistake above need not wait for what scores, and worker processes import this module again.
    from deepfake_tfdata.reports.verdict_page import write_verdict_page
    from deepfake_tfdata.reports.verdicts_page import SHOWN, write_verdicts_page
    from deepfake_tfdata.verdicts.conduct import examine_here
    from deepfake_tfdata.verdicts.ensemble import open_ensemble
    from deepfake_tfdata.verdicts.examiner import Examiner, Request, read_verdict
    from deepfake_tfdata.verdicts.texts import verdict_line

    ensemble = open_ensemble(config.workdir)
    request = Request(
        config.workdir,
        config.verdict,
        config.output,
        Inspection(face_detector_file(ensemble.spec, config.detector_files)),
        write_verdict_page,
        versions(),
        command=cli.command_line("predict", config),
        annotate=annotated if config.annotate else None,
    )
    verdicts: dict[str, Mapping[str, Any]] = {}
    with Progress("predict", len(videos), "videos") as progress:

        def on_verdict(video: Video, verdict: Mapping[str, Any]) -> None:
            cli.say(verdict_line(video.video_id, verdict))
            verdicts[video.video_id] = {name: verdict[name] for name in SHOWN}
            progress.advance()

        if config.execution.runner == "beam":
            from deepfake_tfdata.verdicts.beam import examine_on_beam

            examine_on_beam(videos, request, config.execution.beam_options)
            for video in videos:
                on_verdict(video, read_verdict(request, video))
        else:
            examine_here(videos, Examiner(request, ensemble), config.execution.workers, on_verdict)
    page = write_verdicts_page(user_path(config.output), verdicts)
    cli.say(f"all verdicts: {page}; of each video {config.output}/NAME/verdict.html and verdict.json")


def face_detector_file(spec: ClipSpec, files: DetectorOptions) -> str:
    """The file that the face detector of a spec reads; '' where it reads none.

    Raises:
        UserError: it is not the file that the records were made with.
    """
    path = files.path_for(spec.detector)
    load_detector(spec.detector, path)  # refuses a file that is none of its own, or fetches it
    if content_hash(path) != spec.detector_hash:
        raise UserError(
            f"the face detector's file {path} is another than that of the records (content "
            f"{content_hash(path)} against {spec.detector_hash}); name theirs with --detector_model"
        )
    return path


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, PredictConfig, __doc__, argv)


if __name__ == "__main__":
    run()
