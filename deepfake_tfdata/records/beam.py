"""The Beam runner: fills shards on whatever Apache Beam runs on, with the same bytes as the local runner."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.ledger import read_ledger
from deepfake_tfdata.records.outcome import Outcome
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.records.plan_file import ShardKey, read_plan, write_plan
from deepfake_tfdata.records.shard_writer import OnVideo, write_shard
from deepfake_tfdata.records.worker import Work, Worker
from deepfake_tfdata.records.worker_pool import attempt
from deepfake_tfdata.storage import AnyPath, as_path

_PLAN_FILE = "beam_plan.jsonl"
_Placed = tuple[int, Video, Outcome]  # position in the shard


def fill_shards(
    shards: Sequence[ShardPlan],
    regions: Sequence[str],
    output: AnyPath,
    work: Work,
    options: str,
    on_video: OnVideo,
) -> None:
    """Processes videos wherever the pipeline runs, gathers them by shard, and writes in the plan's order.

    A video's work runs in a process of its own there too, so that a decoder's crash costs that video. What
    else goes wrong (a machine that dies, a step that fails) is the Beam runner's to retry or report.

    Args:
        shards: those to write.
        regions: names; each has a folder in output.
        output: the folder of records, which every machine of the pipeline must reach.
        work: from a video to its clips by region.
        options: of the pipeline, as on a command line, such as '--runner=DataflowRunner --project=p'.
        on_video: called for each video when all is done: Beam reports nothing before.

    Raises:
        UserError: Beam does not take the options.
    """
    pipeline = _pipeline(options)
    # A file, because a hundred thousand videos exceed what a pipeline's description may hold.
    plan = output / _PLAN_FILE
    write_plan(plan, shards)
    try:
        _run(pipeline, plan, regions, output, work)
    finally:
        plan.unlink()
    entries = read_ledger(output)
    for shard in shards:
        for video in shard.videos:
            on_video(entries[video.key])


def _pipeline(options: str) -> beam.Pipeline:
    try:
        return beam.Pipeline(options=PipelineOptions(shlex.split(options)))
    except ValueError as error:
        raise UserError(f"--beam_options={options}: {error}") from error


def _run(pipeline: beam.Pipeline, plan: AnyPath, regions: Sequence[str], output: AnyPath, work: Work) -> None:
    with pipeline:
        (
            pipeline
            | "plan" >> beam.Create([str(plan)])
            | "videos" >> beam.FlatMap(_planned)
            | "spread" >> beam.Reshuffle()
            | "process" >> beam.ParDo(_Process(work))
            | "gather" >> beam.GroupByKey()
            | "write" >> beam.MapTuple(partial(_write, regions=tuple(regions), output=str(output)))
        )


class _Process(beam.DoFn):
    """From a planned video to its outcome, under its shard."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def setup(self) -> None:
        self._worker = Worker(self._work)

    def process(self, planned: tuple[ShardKey, int, Video]) -> Iterator[tuple[ShardKey, _Placed]]:
        shard, position, video = planned
        yield shard, (position, video, attempt(video, self._worker.process))

    def teardown(self) -> None:
        self._worker.close()


def _planned(plan: str) -> Iterator[tuple[ShardKey, int, Video]]:
    return read_plan(as_path(plan))


def _write(shard: ShardKey, placed: Iterable[_Placed], regions: Sequence[str], output: str) -> None:
    outcomes = [(video, outcome) for _, video, outcome in sorted(placed, key=lambda item: item[0])]
    plan = ShardPlan(*shard, tuple(video for video, _ in outcomes))
    write_shard(plan, regions, as_path(output), outcomes, lambda entry: None)
