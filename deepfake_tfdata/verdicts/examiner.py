"""Everything that makes verdicts of videos: opened once a process, then applied to one after another."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from deepfake_tfdata.clips.inspected import DrawnFace, InspectedVideo, InspectionPlan
from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.files import write_json
from deepfake_tfdata.records.ledger import OK, LedgerEntry, write_ledger_part
from deepfake_tfdata.records.outcome import Outcome
from deepfake_tfdata.records.worker import Worker
from deepfake_tfdata.records.worker_pool import attempt
from deepfake_tfdata.storage import AnyPath, as_path
from deepfake_tfdata.verdicts.drawing import drawn_faces
from deepfake_tfdata.verdicts.ensemble import Ensemble
from deepfake_tfdata.verdicts.exhibit import Exhibit
from deepfake_tfdata.verdicts.judge import Judge
from deepfake_tfdata.verdicts.options import VerdictOptions
from deepfake_tfdata.verdicts.verdict import VERDICT_FILE, Verdict
from deepfake_tfdata.verdicts.work import ExaminedVideo, hash_file

_LOG = logging.getLogger(__name__)
ANNOTATED_FILE = "annotated.mp4"
# Failures of the machine or of the network, of which another attempt may be free.
_MAY_PASS = ("crashed", "timed_out", "unreachable")


# Of the name of a file to write, the faces, and a video.
Annotate = Callable[[str, Sequence[DrawnFace], Video], ProcessedVideo]


@dataclass(frozen=True)
class Request:
    """What is asked for; picklable, so that other machines can be told.

    Attributes:
        places: runs or exports that judge together.
        options: what their verdicts are held to.
        output: the folder that a folder a video goes into.
        inspect: a worker's work on a video.
        write_page: writes what a person reads, into a video's folder.
        versions: of what decodes and looks for faces.
        command: as it was given.
        annotate: a worker's work, which writes a video with its faces drawn on it; None where nobody asked.
    """

    places: tuple[str, ...]
    options: VerdictOptions
    output: str
    inspect: Callable[[InspectionPlan, Video], InspectedVideo]
    write_page: Callable[[AnyPath, Verdict, Exhibit], object]
    versions: Mapping[str, str]
    command: str
    annotate: Annotate | None = None

    def folder(self, video: Video) -> AnyPath:
        """Where the verdict on a video stands."""
        return as_path(self.output) / video.video_id


class Examiner:
    """Makes the verdicts that are asked for, and files them.

    Args:
        request: what is asked for.
        ensemble: its detectors, opened.
    """

    def __init__(self, request: Request, ensemble: Ensemble) -> None:
        self.request = request
        self._judge = Judge(ensemble, request.options, request.inspect, request.versions, request.command)
        self.basis, self.work = self._judge.basis, self._judge.work

    def finish(self, video: Video, outcome: Outcome) -> dict[str, Any]:
        """Writes the verdict on a video and its line of the ledger; verdict.json marks a complete folder."""
        verdict, exhibit = self._judge.conclude(video, outcome)
        folder = self.request.folder(video)
        for file in (VERDICT_FILE, ANNOTATED_FILE):  # of an earlier verdict
            (folder / file).unlink(missing_ok=True)
        self.request.write_page(folder, verdict, exhibit)
        if self.request.annotate and any(face.frames for face in verdict.faces):
            self._annotate(self.request.annotate, video, verdict)
        # A name that is a file's name, whatever the video's is.
        part = sha256(video.video_id.encode()).hexdigest()[:16]
        write_ledger_part(as_path(self.request.output), part, [_entry(video, outcome)])
        values = verdict.to_dict()
        write_json(folder / VERDICT_FILE, values)
        return values

    def _annotate(self, annotate: Annotate, video: Video, verdict: Verdict) -> None:
        """Draws on the video in a worker of its own; a verdict stands without it."""
        output = str(self.request.folder(video) / ANNOTATED_FILE)
        worker = Worker(partial(annotate, output, drawn_faces(verdict)))
        outcome = attempt(video, worker.process)
        worker.close()
        if outcome.status != OK:
            _LOG.warning("warning: no %s: %s", output, outcome.reason)

    def finished(self, video: Video) -> dict[str, Any] | None:
        """The verdict that stands there already, of this very file and on the same basis; None without."""
        path = as_path(video.path)
        if not isinstance(path, Path):
            return None
        try:
            found = read_verdict(self.request, video)
            same = found["sha256"] == hash_file(path) and found["status"] not in _MAY_PASS
            drawn = not self.request.annotate or (self.request.folder(video) / ANNOTATED_FILE).exists()
            same = same and (drawn or not found["faces"])
            return found if same and _of(found) == _of(json.loads(json.dumps(self._basis()))) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _basis(self) -> dict[str, Any]:
        return {
            "model": list(self.basis.model),
            "calibration": self.basis.calibration,
            **self.basis.options,
            "versions": self.basis.versions,
        }


def read_verdict(request: Request, video: Video) -> dict[str, Any]:
    """What stands in a video's folder; OSError or ValueError where nothing does."""
    values: dict[str, Any] = json.loads((request.folder(video) / VERDICT_FILE).read_text(encoding="utf-8"))
    return values


def _of(verdict: Mapping[str, Any]) -> list[Any]:
    """What the verdict rests on, but for the command."""
    return [verdict[name] for name in ("model", "calibration", "max_false_alarms", "max_clips", "versions")]


def _entry(video: Video, outcome: Outcome) -> LedgerEntry:
    processed = outcome.processed
    status, reason = outcome.status, outcome.reason
    if isinstance(processed, ExaminedVideo) and status == OK:
        status, reason = processed.status, processed.reason
    inspected = processed.inspected if isinstance(processed, ExaminedVideo) else None
    clips = sum(len(next(iter(face.clips.values()), ())) for face in inspected.seen) if inspected else 0
    return LedgerEntry(
        video=video.video_id,
        status=status,
        reason=reason,
        clips=clips,
        seconds=round(outcome.seconds, 3),
        faces=processed.faces,
    )
