"""ledger.jsonl: what became of every video, a line each."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, fields

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.files import write_text
from deepfake_tfdata.storage import AnyPath

LEDGER_FILE = "ledger.jsonl"
# Beside it while a conversion runs: the entries of each finished shard.
_PARTS = "ledger_parts"
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


def read_ledger(folder: AnyPath) -> dict[str, LedgerEntry]:
    """The entries of FOLDER/ledger.jsonl, and of the parts that an unfinished run left, by video.

    A line that is no entry is left out: its video counts as not done.
    """
    entries = {}
    for path in (folder / LEDGER_FILE, *_parts(folder)):
        for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
            with suppress(ValueError, TypeError):
                entry = LedgerEntry.from_line(line)
                entries[entry.video] = entry
    return entries


def write_ledger_part(folder: AnyPath, name: str, entries: Iterable[LedgerEntry]) -> None:
    """Writes the entries of one shard, which count from now on.

    A file a shard, because object storage can't append, and because shards may be written in parallel.
    """
    _write(folder / _PARTS / f"{name}.jsonl", entries)


def write_ledger(folder: AnyPath, entries: Iterable[LedgerEntry]) -> None:
    """Writes the whole ledger, which replaces its parts."""
    _write(folder / LEDGER_FILE, entries)
    for part in _parts(folder):
        part.unlink()
    if (folder / _PARTS).is_dir():
        (folder / _PARTS).rmdir()


def _parts(folder: AnyPath) -> list[AnyPath]:
    return sorted((folder / _PARTS).glob("*.jsonl"))


def _write(path: AnyPath, entries: Iterable[LedgerEntry]) -> None:
    write_text(path, "".join(entry.line() for entry in entries))
