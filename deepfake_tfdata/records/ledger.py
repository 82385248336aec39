"""ledger.jsonl: what became of every video, a line each."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.files import write_text

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
        faces: how its face was followed; its fields stand beside the others in the file.
    """

    video: str
    status: str
    reason: str
    clips: int
    seconds: float
    faces: FaceStatistics = field(default_factory=FaceStatistics)

    def line(self) -> str:
        """The entry as a line of JSON."""
        values = {**vars(self), **vars(self.faces)}
        del values["faces"]
        return json.dumps(values) + "\n"

    @classmethod
    def from_line(cls, line: str) -> "LedgerEntry":
        """Reads what `line` wrote; ValueError or TypeError where it is no entry."""
        values = json.loads(line)
        faces = {
            known.name: values.pop(known.name) for known in fields(FaceStatistics) if known.name in values
        }
        return cls(**values, faces=FaceStatistics(**faces))


def read_ledger(folder: Path) -> dict[str, LedgerEntry]:
    """The entries of FOLDER/ledger.jsonl by video; a line cut off by an interruption is left out."""
    path = folder / LEDGER_FILE
    entries = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            entry = LedgerEntry.from_line(line)
        except (ValueError, TypeError):
            continue
        entries[entry.video] = entry
    return entries


def append_ledger(folder: Path, entries: Iterable[LedgerEntry]) -> None:
    """Adds entries and flushes them to disk."""
    with (folder / LEDGER_FILE).open("a", encoding="utf-8") as file:
        file.writelines(entry.line() for entry in entries)
        file.flush()
        os.fsync(file.fileno())


def write_ledger(folder: Path, entries: Iterable[LedgerEntry]) -> None:
    """Replaces the ledger."""
    write_text(folder / LEDGER_FILE, "".join(entry.line() for entry in entries))
