"""ledger.jsonl: what became of every video, a line each."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, fields

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.files import PartedFile
from deepfake_tfdata.storage import AnyPath

LEDGER_FILE = "ledger.jsonl"
OK = "ok"


@dataclass(frozen=True)
class LedgerEntry:
    """One video's outcome.

    Attributes:
        video: its key, such as 'Face2Face/000_003'.
        status: 'ok', or why it gave no clip in a word.
        reason: a sentence for a person; '' when ok.
        clips: how many it gave to each region.
        seconds: of work.
        content: a hash of the video's content, where it gave a clip.
        faces: how its face was followed; its fields stand beside the others in the file.
    """

    video: str
    status: str
    reason: str
    clips: int
    seconds: float
    content: str = ""
    faces: FaceStatistics = field(default_factory=FaceStatistics)

    def line(self) -> str:
        """The entry as a line of JSON."""
        values = {**vars(self), **vars(self.faces)}
        del values["faces"]
        return json.dumps(values)

    @classmethod
    def from_line(cls, line: str) -> "LedgerEntry":
        """Reads what `line` wrote; ValueError or TypeError where it is no entry."""
        values = json.loads(line)
        faces = {
            known.name: values.pop(known.name) for known in fields(FaceStatistics) if known.name in values
        }
        return cls(**values, faces=FaceStatistics(**faces))


def read_ledger(folder: AnyPath) -> dict[str, LedgerEntry]:
    """The entries of FOLDER/ledger.jsonl, and of the parts that an unfinished run left, by video.

    A line that is no entry is left out: its video counts as not done.
    """
    entries = {}
    for lines in _file(folder).read():
        for line in lines:
            with suppress(ValueError, TypeError):
                entry = LedgerEntry.from_line(line)
                entries[entry.video] = entry
    return entries


def write_ledger_part(folder: AnyPath, name: str, entries: Iterable[LedgerEntry]) -> None:
    """Writes the entries of one shard, which count from now on."""
    _file(folder).write_part(name, (entry.line() for entry in entries))


def write_ledger(folder: AnyPath, entries: Iterable[LedgerEntry]) -> None:
    """Writes the whole ledger, which replaces its parts."""
    _file(folder).write(entry.line() for entry in entries)


def _file(folder: AnyPath) -> PartedFile:
    return PartedFile(folder / LEDGER_FILE)
