"""Verdicts on many videos: worked on in parallel by the converter's workers, written one by one."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.ledger import read_ledger, write_ledger
from deepfake_tfdata.records.output import explained_write_errors
from deepfake_tfdata.records.worker_pool import process_in_order
from deepfake_tfdata.storage import as_path
from deepfake_tfdata.verdicts.examiner import Examiner, Request

# Called with each video and what verdict.json holds of it.
OnVerdict = Callable[[Video, Mapping[str, Any]], None]


def examine_here(videos: Sequence[Video], examiner: Examiner, workers: int, on_verdict: OnVerdict) -> None:
    """Writes the verdicts that are missing, on this machine.

    Args:
        videos: all of them; what is finished is kept.
        examiner: makes the verdicts, in this process.
        workers: processes that decode and look for faces.
        on_verdict: called for every video.

    Raises:
        UserError: the output can't be written, or the device's memory is too small.
    """
    with explained_write_errors(as_path(examiner.request.output)):
        missing = []
        for video in videos:
            if found := examiner.finished(video):
                on_verdict(video, found)
            else:
                missing.append(video)
        with closing(process_in_order(missing, examiner.work, workers)) as outcomes:
            for video, outcome in outcomes:
                on_verdict(video, examiner.finish(video, outcome))
        close_ledger(videos, examiner.request)


def close_ledger(videos: Sequence[Video], request: Request) -> None:
    """Puts the parts of the ledger together: what was there before, then these videos in their order."""
    output = as_path(request.output)
    entries = read_ledger(output)
    now = [entries.pop(video.video_id) for video in videos if video.video_id in entries]
    write_ledger(output, [*entries.values(), *now])
