"""One video of a data set, and what is known about it before it is opened."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

ORIGINAL = "original"
LABEL_NAMES = ("real", "fake")
# Control characters, lone surrogates (bytes of a file name that are no UTF-8), and line separators.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Segments that would climb out of a folder, or start at the root.
_CLIMBING = {"": "%2F", ".": "%2E", "..": "%2E%2E"}


@dataclass(frozen=True)
class Video:
    """A video, a file or a folder of numbered images, with its label and identities.

    All names are made safe text (see `safe_text`): they end in records, in lines of JSON and on pages.

    Attributes:
        path: where the file or the folder is, untouched.
        video_id: its name within its manipulation method, such as '000' or '000_003'.
        label: 0 real, 1 fake.
        manipulation: 'original', or the method that made it.
        target_id: the identity (person or source video) that is seen, or whose face was replaced.
        source_id: the identity that drove the manipulation; '' for an original, or where nobody says.
        original_id: the video_id of the video that a fake was made from; '' where that is its target_id.
        original: that video, if its face track may be shared; see with_originals.
        component: the identities that its own are joined with by fakes, named by the first of them; '' where
            nobody has looked. Videos of different components are independent.
        mask_path: of a video of the manipulated area in it, or in a fake of it, bright on black, frame by
            frame; '' where there is none.
        native: whether its pixels are as recorded; not so where somebody has cut and resized faces.
    """

    path: str
    video_id: str
    label: int
    manipulation: str
    target_id: str
    source_id: str = ""
    original_id: str = ""
    original: "Video | None" = None
    component: str = ""
    mask_path: str = ""
    native: bool = True

    def __post_init__(self) -> None:
        for field in ("video_id", "manipulation", "target_id", "source_id", "original_id"):
            object.__setattr__(self, field, safe_text(getattr(self, field)))

    @property
    def key(self) -> str:
        """Unique in a data set; the id alone is not, since 000_003 exists in every method."""
        return f"{self.manipulation}/{self.video_id}"

    @property
    def identities(self) -> tuple[str, ...]:
        """Every identity that must not be seen in another split."""
        return tuple(identity for identity in (self.target_id, self.source_id) if identity)


def with_originals(videos: Iterable[Video]) -> list[Video]:
    """The videos of a data set, every fake with its original where that is among them."""
    videos = list(videos)
    originals = {video.video_id: video for video in videos if video.manipulation == ORIGINAL}
    return [
        replace(video, original=originals.get(video.original_id or video.target_id)) if video.label else video
        for video in videos
    ]


def safe_text(name: str) -> str:
    """A file's name as one line of valid Unicode that is no way out of a folder.

    Composed (NFC), since file systems disagree on it and one name must be one identity; unsafe characters and
    the dots of '..' become percent escapes.
    """
    if not name:
        return name
    name = _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", unicodedata.normalize("NFC", name))
    return "/".join(_CLIMBING.get(segment, segment) for segment in name.split("/"))
