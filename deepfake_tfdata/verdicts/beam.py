"""Verdicts on whatever Apache Beam runs on: each machine opens the detectors and judges its share."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.worker import Worker
from deepfake_tfdata.records.worker_pool import attempt
from deepfake_tfdata.verdicts.conduct import close_ledger
from deepfake_tfdata.verdicts.ensemble import open_ensemble
from deepfake_tfdata.verdicts.examiner import Examiner, Request


def examine_on_beam(videos: Sequence[Video], request: Request, options: str) -> None:
    """Writes all verdicts, and the ledger; what else goes wrong is the Beam runner's to report.

    Args:
        videos: to judge.
        request: every machine must reach its places and its output.
        options: of the pipeline, as on a command line.

    Raises:
        UserError: Beam does not take the options.
    """
    try:
        pipeline = beam.Pipeline(options=PipelineOptions(shlex.split(options)))
    except ValueError as error:
        raise UserError(f"--beam_options={options}: {error}") from error
    with pipeline:
        _ = (
            pipeline
            | "videos" >> beam.Create(list(videos))
            | "spread" >> beam.Reshuffle()
            | "judge" >> beam.ParDo(_Judge(request))
        )
    close_ledger(videos, request)


class _Judge(beam.DoFn):
    """Judges a video, in a process of its own as far as it is decoded."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def setup(self) -> None:
        ensemble = open_ensemble(self._request.places)
        self._examiner = Examiner(self._request, ensemble)
        self._worker = Worker(self._examiner.work)

    def process(self, video: Video) -> Iterator[Any]:
        self._examiner.finish(video, attempt(video, self._worker.process))
        yield video.video_id

    def teardown(self) -> None:
        self._worker.close()
