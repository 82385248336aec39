"""FakeAVCeleb (Khalid et al., NeurIPS 2021): celebrities with fake faces, fake voices, or both."""

import csv
import re
from collections.abc import Sequence

from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.tree import read_text, relative_name, video_files_below
from deepfake_tfdata.clips.video import ORIGINAL, Video
from deepfake_tfdata.storage import AnyPath

TITLE = "FakeAVCeleb"
DESCRIPTION = "{RealVideo,FakeVideo}-{RealAudio,FakeAudio}/RACE/GENDER/ID/*.mp4, meta_data.csv"
METHODS = ("faceswap", "faceswap-wav2lip", "fsgan", "fsgan-wav2lip", "wav2lip")
COMPRESSIONS = ()
# A cloned voice over an untouched picture is real for a detector that only looks.
_REAL = ("RealVideo-RealAudio", "RealVideo-FakeAudio")
_FAKE = ("FakeVideo-RealAudio", "FakeVideo-FakeAudio")
_TABLE = "meta_data.csv"
_ID = re.compile(r"id\d+")


def recognises(source: AnyPath) -> bool:
    """Whether one of the four categories is there."""
    return any((source / category).is_dir() for category in (*_REAL, *_FAKE))


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """All videos of the chosen methods; the method is what meta_data.csv says, or else the category."""
    methods = _read_methods(source / _TABLE)
    videos, missing = [], [] if methods else [f"{_TABLE}, so methods are named by category"]
    for category in (*_REAL, *_FAKE):
        found = [
            _video(path, relative_name(path, source), methods.get((category, path.parent.name, path.name)))
            for path in video_files_below(source / category)
        ]
        missing += [] if found else [category]
        videos += found
    chosen = [v for v in videos if v.label == 0 or manipulations is None or v.manipulation in manipulations]
    return DataSet(chosen, missing=missing)


def _video(path: AnyPath, name: str, method: str | None) -> Video:
    category, person = name.partition("/")[0], path.parent.name
    if category in _REAL:
        return Video(str(path), name, 0, ORIGINAL, target_id=person)
    # The folder's person is seen. The first id in the name gave the face; where only lips were moved to a
    # voice (wav2lip), nobody did.
    others = [] if method == "wav2lip" else _ID.findall(path.stem)
    source = others[0] if others and others[0] != person else ""
    return Video(str(path), name, 1, method or category, target_id=person, source_id=source)


def _read_methods(table: AnyPath) -> dict[tuple[str, str, str], str]:
    """The method by category, person and file name.

    The header has a name less than the rows have fields (the file's name stands under 'path', its folder
    under nothing), so fields are known by position, and the name by its ending.
    """
    if not table.is_file():
        return {}
    methods = {}
    for row in csv.reader(read_text(table).splitlines()):
        name = next((field for field in row if field.endswith(".mp4")), None)
        if name and len(row) > 5:
            person, method, category = row[0], row[3], row[5]
            methods[category, person, name] = method
    return methods
