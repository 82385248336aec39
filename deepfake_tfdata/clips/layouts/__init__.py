"""How the field's data sets lie on disk. A layout turns a folder into videos; LAYOUTS lists them all."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

from deepfake_tfdata.clips.layouts import (
    celebdf,
    deeperforensics,
    dfdc,
    fakeavceleb,
    ffpp,
    ffpp_mirror,
    real_fake,
    table,
)
from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.tree import folders
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import AnyPath


class Layout(Protocol):
    """What a module of this package provides.

    Attributes:
        TITLE: the data set's name.
        DESCRIPTION: the shape of its tree.
        METHODS: the manipulations that it is known to have.
        COMPRESSIONS: those that it comes in; none where there is but one form of it.
    """

    TITLE: str
    DESCRIPTION: str
    METHODS: Sequence[str]
    COMPRESSIONS: Sequence[str]

    def recognises(self, source: AnyPath) -> bool:
        """Whether the folder (or file) looks like this data set."""

    def read(self, source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
        """What is there: reals, and the fakes of the methods named; None takes every method that is there."""


# In the order in which `auto` tries them: DeeperForensics' tree may hold the originals of FaceForensics++.
LAYOUTS: dict[str, Layout] = {
    "deeperforensics": deeperforensics,
    "ffpp": ffpp,
    "ffpp_mirror": ffpp_mirror,
    "celebdf": celebdf,
    "fakeavceleb": fakeavceleb,
    "dfdc": dfdc,
    "folders": real_fake,
    "csv": table,
}


def find_layout(name: str, source: AnyPath) -> tuple[str, AnyPath]:
    """The layout of that name, or the first that recognises the source where the name is 'auto'.

    Args:
        name: out of LAYOUTS, or 'auto'.
        source: the data set's folder, or the only such folder in it; or a CSV file.

    Returns:
        The layout's name, and the folder or file that it recognises.

    Raises:
        UserError: no such source, no such layout, or a source that it does not recognise.
    """
    if name != "auto" and name not in LAYOUTS:
        raise UserError(f"unknown layout '{name}'; choose from auto, {', '.join(LAYOUTS)}")
    if not source.is_dir() and not table.recognises(source):
        raise UserError(
            f"--source={source} is no directory and no CSV file; name the folder that holds the data set"
        )
    candidates = LAYOUTS if name == "auto" else {name: LAYOUTS[name]}
    for places in ([source], folders(source)):
        found = [
            (known, place) for known in candidates for place in places if LAYOUTS[known].recognises(place)
        ]
        inside = list(dict.fromkeys(place for _, place in found))
        if len(inside) > 1:
            names = ", ".join(place.name for place in inside)
            raise UserError(f"several data sets in {source}: {names}; name one of them with --source")
        if found:
            return found[0]
    known = "; ".join(f"{candidate}: {layout.DESCRIPTION}" for candidate, layout in candidates.items())
    raise UserError(f"no videos of a known layout in {source}; known are {known}")


def read_data_set(
    name: str, source: AnyPath, compression: str, manipulations: Sequence[str] | None
) -> DataSet:
    """Reads a folder by the layout of that name.

    Args:
        name, source: from find_layout.
        compression: raw, c23 or c40; only layouts with COMPRESSIONS look at it.
        manipulations: methods to take beside the reals; None takes every one that is there.

    Returns:
        The data set, its videos sorted by key.

    Raises:
        UserError: there are no videos, or none of the compression or a method asked for, or two have one key.
    """
    layout = LAYOUTS[name]
    if layout.COMPRESSIONS and compression not in layout.COMPRESSIONS:
        known = ", ".join(layout.COMPRESSIONS)
        raise UserError(f"--compression={compression} is unknown to {layout.TITLE}; choose from {known}")
    form = f"{compression} " if layout.COMPRESSIONS else ""
    data = layout.read(source, compression, manipulations)
    videos = sorted(data.videos, key=lambda video: (video.key, video.path))
    found = {video.manipulation for video in videos if video.label == 1}
    for method in manipulations or ():
        if method not in found:
            everything = layout.read(source, compression, None).videos
            there = {video.manipulation for video in everything if video.label == 1}
            if method not in {*layout.METHODS, *there}:
                known = ", ".join(dict.fromkeys([*layout.METHODS, *sorted(there)]))
                raise UserError(f"unknown manipulation '{method}'; choose from {known}")
            raise UserError(f"no {form}videos of '{method}' in {source}; download them or leave it out")
    if not videos:
        raise UserError(f"no {form}videos in {source}; expected {layout.DESCRIPTION}")
    for first, second in pairwise(videos):
        if first.key == second.key:
            raise UserError(
                f"two videos are called '{first.key}': {first.path} and {second.path}; rename or remove one"
            )
    return DataSet(videos, data.splits, data.split_lists, data.unlisted, data.missing)
