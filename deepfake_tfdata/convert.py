"""Turns a data set of videos into sharded TFRecords, a folder a facial region.

python -m deepfake_tfdata.convert --source=DIR --output=DIR

Run again with the same flags, it finishes what is missing.
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from absl import flags

from deepfake_tfdata import cli
from deepfake_tfdata.clips.layouts import LAYOUTS
from deepfake_tfdata.clips.regions import DEFAULT_REGIONS, REGIONS
from deepfake_tfdata.clips.spec import CHOICES, MAX_CLIPS, ClipSpec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.progress import Progress
from deepfake_tfdata.records.ledger import OK, LedgerEntry
from deepfake_tfdata.records.retry import may_pass
from deepfake_tfdata.storage import AnyPath, as_path
from deepfake_tfdata.video.detectors import FILE_FLAGS, content_hash, load_detector
from deepfake_tfdata.video.process import process_video

if TYPE_CHECKING:
    from deepfake_tfdata.records.conversion import ConversionJob
    from deepfake_tfdata.records.metadata import Conversion

# TensorFlow is imported in main only: every worker process imports this module again.
_LOG = logging.getLogger(__name__)
_FLAGS = flags.FlagValues()
_DEFAULTS = ClipSpec()


def _choice(name: str, meaning: str) -> flags.FlagHolder[str]:
    choices = "|".join(CHOICES[name])
    return flags.DEFINE_string(name, getattr(_DEFAULTS, name), f"{meaning}: {choices}", flag_values=_FLAGS)


_SOURCE = flags.DEFINE_string(
    "source", None, "folder with the videos, or a CSV file that lists them", flag_values=_FLAGS
)
_OUTPUT = flags.DEFINE_string("output", None, "folder for the records", flag_values=_FLAGS)
_LAYOUT = flags.DEFINE_string(
    "layout", "auto", f"how the source lies on disk: auto|{'|'.join(LAYOUTS)}", flag_values=_FLAGS
)
_REGIONS = flags.DEFINE_list(
    "regions", list(DEFAULT_REGIONS), f"regions to cut, out of {', '.join(REGIONS)}", flag_values=_FLAGS
)
_MANIPULATIONS = flags.DEFINE_list(
    "manipulations", None, "methods to convert beside the originals; all that are there", flag_values=_FLAGS
)
_COMPRESSION = flags.DEFINE_string("compression", "c23", "raw|c23|c40", flag_values=_FLAGS)
# The flags that are fields of the clip spec, by their names.
_SPEC_FLAGS = (
    flags.DEFINE_integer("num_frames", _DEFAULTS.num_frames, "frames a clip", flag_values=_FLAGS),
    _choice("sampling", "frames spread over the whole video, or adjacent ones from the middle of its parts"),
    flags.DEFINE_integer(
        "clips_per_video",
        _DEFAULTS.clips_per_video,
        f"parts of a video to take adjacent frames from, 1 to {MAX_CLIPS}; a short video gives fewer clips",
        flag_values=_FLAGS,
    ),
    flags.DEFINE_integer(
        "frame_size", _DEFAULTS.frame_size, "side of a stored crop, pixels", flag_values=_FLAGS
    ),
    _choice("geometry", "crops as they are in the video, or squares of frame_size"),
    flags.DEFINE_integer(
        "max_side",
        _DEFAULTS.max_side,
        "longer sides of native crops are reduced to it, pixels; 0 reduces none",
        flag_values=_FLAGS,
    ),
    _choice("fit", "how a crop becomes a square: distorted, or with grey bars"),
    _choice("encoding", "of a frame"),
    _choice("detector", "of faces"),
    _choice("tracking", "one smoothed track of one size, or a box of its own for every frame"),
    flags.DEFINE_boolean(
        "share_tracks",
        _DEFAULTS.share_tracks,
        "crop a fake where the face of its original is, if size, length and frame rate agree; decodes the "
        "original again for every fake",
        flag_values=_FLAGS,
    ),
    flags.DEFINE_float(
        "min_found",
        _DEFAULTS.min_found,
        "share of a clip's frames in which the face must be found",
        flag_values=_FLAGS,
    ),
    flags.DEFINE_float(
        "margin", _DEFAULTS.margin, "share of the face box added on every side", flag_values=_FLAGS
    ),
)
_DETECTOR_FILES = {
    "yunet": flags.DEFINE_string(
        FILE_FLAGS["yunet"], None, "ONNX file of YuNet, for --detector=yunet", flag_values=_FLAGS
    ),
    "boxes": flags.DEFINE_string(
        FILE_FLAGS["boxes"],
        None,
        "folder with MANIPULATION/VIDEO_ID.csv files of frame,left,top,right,bottom, for --detector=boxes",
        flag_values=_FLAGS,
    ),
}
_SPLITS = flags.DEFINE_string(
    "splits",
    None,
    "folder with train.json, val.json and test.json; or 'hash': divide the identities by hash, whatever "
    "lists there are; default: the data set's own lists, else hash",
    flag_values=_FLAGS,
)
_STRICT_SPLIT = flags.DEFINE_boolean(
    "strict_split", False, "also keep identities cut from one source video together", flag_values=_FLAGS
)
_CONVERSION_DICT = flags.DEFINE_string(
    "conversion_dict",
    None,
    "conversion_dict.json of FaceForensics++, for --strict_split; default: the one in SOURCE",
    flag_values=_FLAGS,
)
_WORKERS = flags.DEFINE_integer("workers", os.cpu_count(), "processes", flag_values=_FLAGS)
_RUNNER = flags.DEFINE_string("runner", "local", "where videos are processed: local|beam", flag_values=_FLAGS)
_BEAM_OPTIONS = flags.DEFINE_string(
    "beam_options",
    "",
    "of the Beam pipeline, such as '--runner=DataflowRunner --project=p'",
    flag_values=_FLAGS,
)
_LIMIT = flags.DEFINE_integer("limit", None, "convert that many videos only, for a trial", flag_values=_FLAGS)
_RETRY_FAILED = flags.DEFINE_boolean(
    "retry_failed",
    False,
    "try videos again that an earlier run could not read or that crashed or timed out; their shards are "
    "written again as a whole",
    flag_values=_FLAGS,
)
_DRY_RUN = flags.DEFINE_boolean(
    "dry_run",
    False,
    "say what would be converted, skipped and written, and write nothing",
    flag_values=_FLAGS,
)


def main() -> None:
    """Reads the flags, converts, and says what came out."""
    import tensorflow as tf

    # Nothing here needs a GPU, and TensorFlow would take one's whole memory from whoever trains beside it.
    tf.config.set_visible_devices([], "GPU")
    from deepfake_tfdata.records.conversion import ConversionConfig, plan_conversion, run_conversion
    from deepfake_tfdata.records.dry_run import describe_job

    spec = ClipSpec(**{flag.name: flag.value for flag in _SPEC_FLAGS})
    detector_path = _detector_path(spec.detector)
    config = ConversionConfig(
        source=as_path(cli.required(_SOURCE)),
        output=as_path(cli.required(_OUTPUT)),
        layout=_LAYOUT.value,
        compression=_COMPRESSION.value,
        manipulations=tuple(_MANIPULATIONS.value) if _MANIPULATIONS.value else None,
        regions=tuple(_REGIONS.value),
        spec=replace(spec, detector_hash=content_hash(detector_path)),
        splits=_SPLITS.value,
        conversion_dict=as_path(_CONVERSION_DICT.value) if _CONVERSION_DICT.value else None,
        strict_split=_STRICT_SPLIT.value,
        workers=_WORKERS.value,
        limit=_LIMIT.value,
        runner=_RUNNER.value,
        beam_options=_BEAM_OPTIONS.value,
        retry_failed=_RETRY_FAILED.value,
    )
    job = plan_conversion(config)
    for line in job.selection.summary:
        cli.say(line)
    if _DRY_RUN.value:
        for line in describe_job(job):
            cli.say(line)
        return
    work = partial(
        process_video,
        spec=config.spec,
        regions=[REGIONS[name] for name in config.regions],
        detector_path=detector_path,
    )
    entries: list[LedgerEntry] = []
    with Progress("convert", job.num_videos, "videos") as progress:

        def on_video(entry: LedgerEntry) -> None:
            entries.append(entry)
            progress.advance(_note(entry))

        conversion = run_conversion(job, work, on_video)
    _write_contact_sheet(job, conversion)
    for line in _summary(conversion, config.output, entries):
        cli.say(line)


def _write_contact_sheet(job: "ConversionJob", conversion: "Conversion") -> None:
    """As well as it can: the records are whole without it."""
    from deepfake_tfdata.reports.contact_sheet import write_contact_sheet

    try:
        write_contact_sheet(job, conversion)
    except UserError as error:
        _LOG.warning("warning: no contact sheet: %s", error)


def _summary(conversion: "Conversion", output: AnyPath, entries: list[LedgerEntry]) -> Iterator[str]:
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


def _detector_path(detector: str) -> str:
    """The model file or the folder that the detector reads, known to be good; '' where it reads none."""
    for name, flag in _DETECTOR_FILES.items():
        if flag.value and name != detector:
            raise UserError(f"--{flag.name} is for --detector={name}, not for --detector={detector}")
    path = _DETECTOR_FILES[detector].value if detector in _DETECTOR_FILES else None
    load_detector(detector, path or "")
    return path or ""


def _note(entry: LedgerEntry) -> str:
    return "" if entry.status == OK else f"{entry.video}: {entry.reason}"


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, _FLAGS, __doc__, argv)


if __name__ == "__main__":
    run()
