"""The preview of the DeepFake Detection Challenge (Dolhansky et al., 2019): two methods, 68 actors."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from deepfake_tfdata.clips.layouts.data_set import DataSet, passed_over
from deepfake_tfdata.clips.layouts.tree import read_text, video_files_below
from deepfake_tfdata.clips.splits import SPLITS, divide_beside_test
from deepfake_tfdata.clips.video import ORIGINAL, Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath, below

TITLE = "DFDC preview"
DESCRIPTION = "original_videos/ID/*.mp4, method_{A,B}/ID/ID_SCENE/*.mp4, dataset.json"
METHODS = ("method_A", "method_B")
COMPRESSIONS = ()
_TABLE = "dataset.json"
_REALS = "original_videos"
_LABELS = {"real": 0, "fake": 1}


def recognises(source: AnyPath) -> bool:
    """Whether the table is there, beside the originals or a method."""
    return (source / _TABLE).is_file() and any((source / name).is_dir() for name in (_REALS, *METHODS))


def read(source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
    """The videos of the table; its test set is the test split, and its train set is train and val by hash.

    Raises:
        UserError: the table is damaged.
    """
    table = _read_table(source / _TABLE)
    chosen = METHODS if manipulations is None else manipulations
    files = {
        below(path, source).as_posix(): path
        for folder in (_REALS, *chosen)
        for path in video_files_below(source / folder)
    }
    listed = {name: row for name, row in table.items() if name.partition("/")[0] in (_REALS, *chosen)}
    videos = {name: _video(files[name], name, row) for name, row in listed.items() if name in files}
    found = {video.manipulation for video in videos.values()}
    missing = [name for name in (_REALS, *chosen) if (ORIGINAL if name == _REALS else name) not in found]
    missing += [f"{len(listed) - len(videos)} of {len(listed)} videos of {_TABLE}"] * (
        videos.keys() != listed.keys()
    )
    notes = passed_over(f"videos that {_TABLE} does not have", sorted(files.keys() - table.keys()))
    given = {video.key: table[name]["set"] for name, video in videos.items()}
    if "val" not in given.values():
        tested = [key for key, split in given.items() if split == "test"]
        given = divide_beside_test(videos.values(), tested)
    return DataSet(list(videos.values()), given, missing=missing, notes=notes)


def _read_table(path: AnyPath) -> Mapping[str, Mapping[str, Any]]:
    try:
        table: dict[str, dict[str, Any]] = json.loads(read_text(path))
        for name, row in table.items():
            fake = _LABELS[row["label"]]
            if row["set"] not in SPLITS or not row["target_id"] or (fake and not row["swapped_id"]):
                raise ValueError(name)
            if name.partition("/")[0] not in ((*METHODS,) if fake else (_REALS,)):
                raise ValueError(name)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f'{path} is no table of the DFDC preview ({error}); expected {{"method_A/ID/ID_A/NAME.mp4": '
            '{"label": "fake", "set": "train" or "test", "target_id": ..., "swapped_id": ...}}'
        ) from None
    return table


def _video(path: AnyPath, name: str, row: Mapping[str, Any]) -> Video:
    folder, target = name.partition("/")[0], str(row["target_id"])
    if folder == _REALS:
        return Video(str(path), path.stem, 0, ORIGINAL, target)
    # SWAPPED_TARGET_SCENE_N; nobody says whether it has the frames of the original TARGET_SCENE_N.
    return Video(str(path), path.stem, 1, folder, target, str(row["swapped_id"]), original_id="unknown")
