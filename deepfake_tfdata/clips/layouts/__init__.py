"""How the field's data sets lie on disk. A layout turns a folder into videos; LAYOUTS lists them all."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

from deepfake_tfdata.clips.layouts import (
    celebdf,
    celebdfpp,
    deeperforensics,
    deepfakebench,
    df40,
    dfdc,
    dfdcp,
    fakeavceleb,
    ffpp,
    ffpp_mirror,
    real_fake,
    table,
)
from deepfake_tfdata.clips.layouts.data_set import DataSet
from deepfake_tfdata.clips.layouts.listed_twice import refuse_one_file_twice
from deepfake_tfdata.clips.layouts.tree import folders
from deepfake_tfdata.clips.video import LABEL_NAMES, Video
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

    @property
    def TITLE(self) -> str: ...
    @property
    def DESCRIPTION(self) -> str: ...
    @property
    def METHODS(self) -> Sequence[str]: ...
    @property
    def COMPRESSIONS(self) -> Sequence[str]: ...

    def recognises(self, source: AnyPath) -> bool:
        """Whether the folder (or file) looks like this data set."""
        ...

    def read(self, source: AnyPath, compression: str, manipulations: Sequence[str] | None) -> DataSet:
        """What is there: reals, and the fakes of the methods named; None takes every method that is there."""
        ...


# In the order in which `auto` tries them: DeeperForensics' tree may hold the originals of FaceForensics++.
LAYOUTS: dict[str, Layout] = {
    "deeperforensics": deeperforensics,
    "ffpp": ffpp,
    "ffpp_mirror": ffpp_mirror,
    "celebdf": celebdf,
    "celebdfpp": celebdfpp,
    "fakeavceleb": fakeavceleb,
    "dfdc": dfdc,
    "dfdcp": dfdcp,
    "df40": df40,
    "deepfakebench": deepfakebench,
    "folders": real_fake,
    "csv": table,
}
# Those whose source is a file.
_FILES = (deepfakebench, table)


def find_layout(name: str, source: AnyPath) -> tuple[str, AnyPath]:
    """The layout of that name, or the first that recognises the source where the name is 'auto'.

    Args:
        name: out of LAYOUTS, or 'auto'.
        source: the data set's folder, or the only such folder in it; or a CSV or JSON file.

    Returns:
        The layout's name, and the folder or file that it recognises.

    Raises:
        UserError: no such source, no such layout, or a source that it does not recognise.
    """
    if name != "auto" and name not in LAYOUTS:
        raise UserError(f"unknown layout '{name}'; choose from auto, {', '.join(LAYOUTS)}")
    if not source.is_dir() and not any(layout.recognises(source) for layout in _FILES):
        raise UserError(
            f"--source={source} is no directory, CSV or JSON file; name the folder of the data set"
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
        UserError: there are no videos, or none of the compression or a method asked for; two have one key or
            are one file; or one class is native and the other is not.
    """
    layout = LAYOUTS[name]
    if layout.COMPRESSIONS and compression not in layout.COMPRESSIONS:
        known = ", ".join(layout.COMPRESSIONS)
        raise UserError(f"--compression={compression} is unknown to {layout.TITLE}; choose from {known}")
    data = layout.read(source, compression, manipulations)
    form = f"{compression} videos" if layout.COMPRESSIONS else "videos"
    _check_methods(layout, source, compression, manipulations or (), data, form)
    if not data.videos:
        expected = layout.DESCRIPTION.replace("/c23/", f"/{compression}/")
        raise UserError(f"no {form} in {source}; expected {expected}")
    videos = _sorted_unique(data.videos)
    refuse_one_file_twice(videos)
    _refuse_two_geometries(videos)
    return replace(data, videos=videos)


def _check_methods(
    layout: Layout,
    source: AnyPath,
    compression: str,
    manipulations: Sequence[str],
    data: DataSet,
    form: str,
) -> None:
    """Refuses a method that was asked for and has no videos."""
    for method in manipulations:
        if method in data.methods:
            continue
        known = [*layout.METHODS, *sorted(layout.read(source, compression, None).methods)]
        if method in known:
            raise UserError(f"no {form} of '{method}' in {source}; download them or leave it out")
        raise UserError(f"unknown manipulation '{method}'; choose from {', '.join(dict.fromkeys(known))}")


def _sorted_unique(videos: Sequence[Video]) -> list[Video]:
    """The videos by key; UserError where two have one."""
    ordered = sorted(videos, key=lambda video: (video.key, video.path))
    for first, second in pairwise(ordered):
        if first.key == second.key:
            raise UserError(
                f"two videos are called '{first.key}': {first.path} and {second.path}; rename or remove one"
            )
    return ordered


def _refuse_two_geometries(videos: Sequence[Video]) -> None:
    """Refuses reals that are native beside fakes that are not, or the reverse: their size would tell."""
    native = [{video.native for video in videos if video.label == label} for label in (0, 1)]
    if all(len(kinds) == 1 for kinds in native) and native[0] != native[1]:
        resized = LABEL_NAMES[native.index({False})]
        raise UserError(
            f"all {resized} videos are faces already resized and no other video is, so that their size alone "
            "would tell real from fake; take both as videos, or both as resized faces"
        )
