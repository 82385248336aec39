"""How the field's data sets lie on disk. A layout turns a folder into videos; LAYOUTS lists them all."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from deepfake_tfdata.clips.layouts import ffpp
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError


class Layout(Protocol):
    """What a module of this package provides."""

    DESCRIPTION: str

    def recognises(self, root: Path) -> bool:
        """Whether the folder looks like this data set."""

    def find_videos(self, root: Path, compression: str, manipulations: Sequence[str] | None) -> list[Video]:
        """The videos below root, sorted by key; `manipulations` None takes every method that is there."""

    def default_splits(self, root: Path) -> Path | None:
        """The folder with official split lists that ships with the data, if one does."""


LAYOUTS: dict[str, Layout] = {"ffpp": ffpp}


def find_layout(name: str, root: Path) -> tuple[str, Layout]:
    """The layout of that name, or the first that recognises the folder where the name is 'auto'.

    Raises:
        UserError: no such folder, no such layout, or a folder that none recognises.
    """
    if not root.is_dir():
        raise UserError(f"--source={root} is no directory; name the folder that holds the data set")
    if name != "auto":
        if name not in LAYOUTS:
            raise UserError(f"unknown layout '{name}'; choose from auto, {', '.join(LAYOUTS)}")
        return name, LAYOUTS[name]
    for candidate, layout in LAYOUTS.items():
        if layout.recognises(root):
            return candidate, layout
    known = "; ".join(f"{candidate}: {layout.DESCRIPTION}" for candidate, layout in LAYOUTS.items())
    raise UserError(f"no videos of a known layout in {root}; known are {known}")
