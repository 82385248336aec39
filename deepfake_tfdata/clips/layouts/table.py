"""A CSV file that lists videos: path,label[,split,video_id,target_id,source_id,manipulation,native]."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.tree import read_text, recording_name
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import ORIGINAL, Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath, as_path, expanded

TITLE = "CSV"
HEADER = "path,label[,split,video_id,target_id,source_id,manipulation,native]"
DESCRIPTION = f"a file NAME.csv with the columns {HEADER}"
METHODS = ("fake",)
COMPRESSIONS = ()
COLUMNS = ("path", "label", "split", "video_id", "target_id", "source_id", "manipulation", "native")
_LABELS = {"0": 0, "real": 0, "1": 1, "fake": 1}
_NATIVE = {"": True, "1": True, "yes": True, "0": False, "no": False}


def recognises(source: AnyPath) -> bool:
    """Whether it is a CSV file."""
    return source.suffix.lower() == ".csv" and source.is_file()


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """The videos that the file lists, files or folders of images; relative paths begin in its folder.

    Args:
        source: the CSV file.
        compression: not looked at.
        manipulations: which methods' fakes to take; None takes all.

    Raises:
        UserError: a line is not as it should be; the message has its number.
    """
    videos: list[Video] = []
    splits: dict[str, str] = {}
    rows = _read_rows(source)
    for number, row in rows:
        try:
            video = _video(row, source.parent)
            split = row.get("split", "").casefold()
            if split and split not in SPLITS:
                raise ValueError(f"split '{split}'; expected {', '.join(SPLITS)} or nothing")
        except ValueError as error:
            raise UserError(f"line {number} of {source} has the {error}") from None
        videos.append(video)
        if split:
            splits[video.key] = split
    chosen = [v for v in videos if v.label == 0 or manipulations is None or v.manipulation in manipulations]
    has_splits = any("split" in row for _, row in rows)
    return DataSet(chosen, splits if has_splits else None, missing=[] if videos else ["videos"])


def _read_rows(path: AnyPath) -> list[tuple[int, dict[str, str]]]:
    """The lines with their numbers, fields stripped; empty lines are passed over."""
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        header = [name.strip().casefold() for name in reader.fieldnames or ()]
        reader.fieldnames = header
        _check_header(path, header)
        return [(reader.line_num, _clean(row, reader.line_num, path)) for row in reader]
    except csv.Error as error:
        raise UserError(f"line {reader.reader.line_num} of {path} is no CSV: {error}") from None


def _check_header(path: AnyPath, header: Sequence[str]) -> None:
    lacking = [name for name in COLUMNS[:2] if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    if lacking or unknown or len(set(header)) < len(header):
        raise UserError(f"{path} begins with '{','.join(header)}'; expected {HEADER}")


def _clean(row: Mapping[str | Any, str | Any], number: int, path: AnyPath) -> dict[str, str]:
    if None in row or None in row.values():
        raise UserError(f"line {number} of {path} has more or fewer fields than the header; quote commas")
    return {name: value.strip() for name, value in row.items()}


def _video(row: Mapping[str, str], folder: AnyPath) -> Video:
    if not row["path"]:
        raise ValueError("path '': it is empty")
    if row["label"].casefold() not in _LABELS:
        raise ValueError(f"label '{row['label']}'; expected 0, 1, real or fake")
    label = _LABELS[row["label"].casefold()]
    manipulation = row.get("manipulation") or METHODS[0]
    if label == 1 and manipulation == ORIGINAL:
        raise ValueError(f"manipulation '{ORIGINAL}' and the label of a fake")
    native = row.get("native", "").casefold()
    if native not in _NATIVE:
        raise ValueError(f"native '{row['native']}'; expected yes, no or nothing")
    listed = PurePosixPath(row["path"])
    name = recording_name(Path(listed))
    return Video(
        path=str(_place(row["path"], folder)),
        video_id=row.get("video_id") or listed.with_name(name).as_posix(),
        label=label,
        # Reals are one class, whatever the column calls them.
        manipulation=manipulation if label else ORIGINAL,
        target_id=row.get("target_id") or name,
        source_id=row.get("source_id", ""),
        native=_NATIVE[native],
    )


def _place(listed: str, folder: AnyPath) -> AnyPath:
    listed = expanded(listed)
    is_whole = "://" in listed or PurePosixPath(listed).is_absolute()
    return as_path(listed) if is_whole else folder / listed.rstrip("/")
