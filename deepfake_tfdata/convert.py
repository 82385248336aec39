"""Turns a data set of videos into sharded TFRecords, a folder a facial region.

python -m deepfake_tfdata.convert --source=DIR --output=DIR

Run again with the same flags, it finishes what is missing.
"""

import os
from functools import partial

from absl import flags

from deepfake_tfdata import cli
from deepfake_tfdata.clips.layouts import LAYOUTS
from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import CHOICES, ClipSpec
from deepfake_tfdata.progress import Progress
from deepfake_tfdata.records.ledger import OK, LedgerEntry
from deepfake_tfdata.storage import as_path
from deepfake_tfdata.video.process import process_video

# TensorFlow is imported in main only: every worker process imports this module again.
_FLAGS = flags.FlagValues()
_DEFAULTS = ClipSpec()


def _choice(name: str, meaning: str) -> flags.FlagHolder[str]:
    choices = "|".join(CHOICES[name])
    return flags.DEFINE_string(name, getattr(_DEFAULTS, name), f"{meaning}: {choices}", flag_values=_FLAGS)


_SOURCE = flags.DEFINE_string("source", None, "folder with the videos", flag_values=_FLAGS)
_OUTPUT = flags.DEFINE_string("output", None, "folder for the records", flag_values=_FLAGS)
_LAYOUT = flags.DEFINE_string(
    "layout", "auto", f"how the source lies on disk: auto|{'|'.join(LAYOUTS)}", flag_values=_FLAGS
)
_REGIONS = flags.DEFINE_list("regions", list(REGIONS), "regions to cut", flag_values=_FLAGS)
_MANIPULATIONS = flags.DEFINE_list(
    "manipulations", None, "methods to convert beside the originals; all that are there", flag_values=_FLAGS
)
_COMPRESSION = flags.DEFINE_string("compression", "c23", "raw|c23|c40", flag_values=_FLAGS)
_NUM_FRAMES = flags.DEFINE_integer("num_frames", _DEFAULTS.num_frames, "frames a clip", flag_values=_FLAGS)
_FRAME_SIZE = flags.DEFINE_integer(
    "frame_size", _DEFAULTS.frame_size, "side of a stored crop, pixels", flag_values=_FLAGS
)
_SAMPLING = _choice("sampling", "how frames are chosen")
_GEOMETRY = _choice("geometry", "how crops are stored")
_ENCODING = _choice("encoding", "of a frame")
_DETECTOR = _choice("detector", "of faces")
_TRACKING = _choice("tracking", "one smoothed track of one size, or a box of its own for every frame")
_MARGIN = flags.DEFINE_float(
    "margin", _DEFAULTS.margin, "share of the face box added on every side", flag_values=_FLAGS
)
_SPLITS = flags.DEFINE_string(
    "splits",
    None,
    "folder with train.json, val.json and test.json; SOURCE/splits if there, else by hash of the identities",
    flag_values=_FLAGS,
)
_WORKERS = flags.DEFINE_integer("workers", os.cpu_count(), "processes", flag_values=_FLAGS)
_LIMIT = flags.DEFINE_integer("limit", None, "convert that many videos only, for a trial", flag_values=_FLAGS)


def main() -> None:
    """Reads the flags, converts, and says what came out."""
    from deepfake_tfdata.records.conversion import ConversionConfig, plan_conversion, run_conversion

    config = ConversionConfig(
        source=as_path(cli.required(_SOURCE)),
        output=as_path(cli.required(_OUTPUT)),
        layout=_LAYOUT.value,
        compression=_COMPRESSION.value,
        manipulations=tuple(_MANIPULATIONS.value) if _MANIPULATIONS.value else None,
        regions=tuple(_REGIONS.value),
        spec=ClipSpec(
            num_frames=_NUM_FRAMES.value,
            frame_size=_FRAME_SIZE.value,
            sampling=_SAMPLING.value,
            geometry=_GEOMETRY.value,
            encoding=_ENCODING.value,
            detector=_DETECTOR.value,
            tracking=_TRACKING.value,
            margin=_MARGIN.value,
        ),
        splits=as_path(_SPLITS.value) if _SPLITS.value else None,
        workers=_WORKERS.value,
        limit=_LIMIT.value,
    )
    job = plan_conversion(config)
    work = partial(process_video, spec=config.spec, regions=[REGIONS[name] for name in config.regions])
    with Progress("convert", job.num_videos, "videos") as progress:
        conversion = run_conversion(job, work, lambda entry: progress.advance(_note(entry)))
    cli.say(f"clip spec {conversion.spec_hash}, regions {', '.join(conversion.regions)}")
    for split, counts in conversion.counts.items():
        cli.say(
            f"{split}: {counts['real']} real and {counts['fake']} fake clips of {counts['videos']} videos"
        )
    cli.say(f"records in {config.output}; what became of each video is in {config.output}/ledger.jsonl")


def _note(entry: LedgerEntry) -> str:
    return "" if entry.status == OK else f"{entry.video}: {entry.reason}"


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, _FLAGS, __doc__, argv)


if __name__ == "__main__":
    run()
