"""Turns a data set of videos into sharded TFRecords, a folder a facial region.

python -m deepfake_tfdata.convert --source=DIR --output=DIR

Run again with the same flags, it finishes what is missing.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from deepfake_tfdata import cli
from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, group, option
from deepfake_tfdata.progress import Progress
from deepfake_tfdata.records.dry_run import describe_job
from deepfake_tfdata.records.job import ConversionJob, plan_conversion
from deepfake_tfdata.records.ledger import OK, LedgerEntry
from deepfake_tfdata.records.metadata import Conversion
from deepfake_tfdata.records.options import ConversionConfig
from deepfake_tfdata.records.retry import may_pass
from deepfake_tfdata.records.split_check import advice, groups_of_counts, groups_of_plan, lacking
from deepfake_tfdata.startup import import_tensorflow
from deepfake_tfdata.video.detectors import content_hash, load_detector
from deepfake_tfdata.video.options import DetectorOptions
from deepfake_tfdata.video.process import process_video
from deepfake_tfdata.video.versions import versions

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ConvertConfig(Options):
    """What the command does."""

    conversion: ConversionConfig = group(ConversionConfig)
    detector_files: DetectorOptions = group(DetectorOptions)
    dry_run: bool = option(False, "say what would be converted, skipped and written, and write nothing")


# TensorFlow is imported by main only: every worker process imports this module again.
def main(config: ConvertConfig) -> None:
    """Converts, and says what came out."""
    spec = config.conversion.spec
    detector_path = config.detector_files.path_for(spec.detector)
    load_detector(spec.detector, detector_path)  # refuses a file that is none of its own
    conversion = replace(config.conversion, spec=replace(spec, detector_hash=content_hash(detector_path)))
    job = plan_conversion(conversion, versions())
    for line in job.selection.summary:
        cli.say(line)
    planned = groups_of_plan(job.shards)
    _warn(lacking(planned, "videos"), advice(conversion, job.selection.split_by))
    if config.dry_run:
        for line in describe_job(job):
            cli.say(line)
        return
    # Nothing here needs a GPU, and TensorFlow would take all its memory from whoever trains beside it.
    import_tensorflow().config.set_visible_devices([], "GPU")
    from deepfake_tfdata.records.conversion import run_conversion

    work = partial(
        process_video,
        spec=conversion.spec,
        regions=[REGIONS[name] for name in job.regions],
        detector_path=detector_path,
    )
    entries: list[LedgerEntry] = []
    with Progress("convert", job.num_videos, "videos") as progress:

        def on_video(entry: LedgerEntry) -> None:
            entries.append(entry)
            progress.advance(_note(entry))

        result = run_conversion(job, work, on_video)
    _write_contact_sheet(job, result)
    for line in _summary(result, conversion.output, entries):
        cli.say(line)
    converted = groups_of_counts(result.counts)
    if converted != planned:
        _warn(lacking(converted, "clips"), f"{conversion.output}/ledger.jsonl says why")


def _warn(lack: str, what_to_do: str) -> None:
    """Of splits that are no use for training or evaluation."""
    if lack:
        _LOG.warning("warning: %s; %s", lack, what_to_do)


def _write_contact_sheet(job: ConversionJob, conversion: Conversion) -> None:
    """As well as it can: the records are whole without it."""
    from deepfake_tfdata.reports.contact_sheet import write_contact_sheet

    try:
        write_contact_sheet(job, conversion)
    except UserError as error:
        _LOG.warning("warning: no contact sheet: %s", error)


def _summary(conversion: Conversion, output: str, entries: list[LedgerEntry]) -> Iterator[str]:
    """What came out, and what the user may do about the rest."""
    yield f"clip spec {conversion.spec_hash}, regions {', '.join(conversion.regions)}"
    for split, counts in conversion.counts.items():
        yield f"{split}: {counts['real']} real and {counts['fake']} fake clips of {counts['videos']} videos"
    yield f"records in {output}; what became of each video is in {output}/ledger.jsonl"
    failed = sum(map(may_pass, entries))
    if failed:
        yield (
            f"{failed} of the videos could not be read, crashed or timed out; where that can be mended, "
            "the same command with --retry_failed tries them again"
        )


def _note(entry: LedgerEntry) -> str:
    return "" if entry.status == OK else f"{entry.video}: {entry.reason}"


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, ConvertConfig, __doc__, argv)


if __name__ == "__main__":
    run()
