"""The DeepFake Detection Challenge (Dolhansky et al., 2020): folders of videos, each with its labels."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.tree import folders, read_text, video_files
from deepfake_tfdata.clips.splits import SPLITS, divide_by_hash
from deepfake_tfdata.clips.video import ORIGINAL, Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath

TITLE = "DFDC"
DESCRIPTION = "dfdc_train_part_N/*.mp4 with metadata.json, test/*.mp4 with labels.csv"
# The data set names no method.
METHODS = ("DFDC",)
COMPRESSIONS = ()
METADATA, LABELS = "metadata.json", "labels.csv"
_LABELS = {"REAL": 0, "FAKE": 1, "0": 0, "1": 1}
# An actor is mostly seen within one part, so parts are kept whole where there are enough of them to divide.
_MIN_PARTS = 10


def recognises(source: AnyPath) -> bool:
    """Whether a folder here or just below has videos beside a metadata.json or labels.csv."""
    return any(True for _ in _labelled_folders(source))


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """All labelled videos. Folders named test and validation are those splits; the parts are divided by hash.

    Raises:
        UserError: a table of labels is damaged.
    """
    videos: list[Video] = []
    published: dict[str, str] = {}
    part_of: dict[str, str] = {}
    absent = unlabelled = 0
    for folder in _labelled_folders(source):
        table = _read_table(folder)
        files = video_files(folder)
        found = [_video(path, table[path.name]) for path in files if path.name in table]
        absent += len(table) - len(found)
        unlabelled += len(files) - len(found)
        split = _published_split(folder)
        if split:
            published |= {video.key: split for video in found}
        else:
            part_of |= {video.target_id: f"part {folder.name}" for video in found}
        videos += found
    others = [split for split in SPLITS if split == "train" or split not in published.values()]
    groups = part_of if len(set(part_of.values())) >= _MIN_PARTS else {}
    train = [video for video in videos if video.key not in published]
    missing = [f"{absent} labelled videos"] if absent else []
    missing += [f"the labels of {unlabelled} videos, which are passed over"] if unlabelled else []
    return DataSet(videos, divide_by_hash(train, others, groups) | published, missing=missing)


def _labelled_folders(source: AnyPath) -> Iterator[AnyPath]:
    """SOURCE, its folders and theirs (train/dfdc_train_part_0), as far as they hold labels and videos."""
    below = folders(source)
    for folder in (source, *below, *(inner for outer in below for inner in folders(outer))):
        has_table = (folder / METADATA).is_file() or (folder / LABELS).is_file()
        if has_table and video_files(folder):
            yield folder


def _published_split(folder: AnyPath) -> str | None:
    name = folder.name.casefold()
    return "test" if "test" in name else "val" if "valid" in name else None


def _read_table(folder: AnyPath) -> Mapping[str, Mapping[str, Any]]:
    """What metadata.json or labels.csv says of each file, by name."""
    path = folder / METADATA
    try:
        if path.is_file():
            table = json.loads(read_text(path))
        else:
            path = folder / LABELS
            rows = csv.DictReader(read_text(path).splitlines())
            table = {row["filename"]: row for row in rows}
        for name, row in table.items():
            if str(row["label"]) not in _LABELS:
                raise UserError(f"{path} has the label '{row['label']}' for {name}; expected REAL or FAKE")
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error):
        raise UserError(
            f'{path} is no table of labels; expected {{"NAME.mp4": {{"label": "FAKE", "original": ...}}}} in '
            f"{METADATA}, or the columns filename and label in {LABELS}"
        ) from None
    return table


def _video(path: AnyPath, row: Mapping[str, Any]) -> Video:
    label = _LABELS[str(row["label"])]
    # The name of a fake's original; the actors are not named anywhere.
    original = str(row.get("original") or path.name).rpartition(".")[0]
    return Video(str(path), path.stem, label, METHODS[0] if label else ORIGINAL, target_id=original)
