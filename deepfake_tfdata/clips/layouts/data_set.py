"""What a layout finds in a folder."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.storage import AnyPath


@dataclass(frozen=True)
class DataSet:
    """The videos of a data set, and what else it says of them.

    Attributes:
        videos: all of the chosen methods.
        splits: the split by video key, where the data set itself divides its videos; None where it does not.
        split_lists: the folder of official lists (train.json, val.json, test.json), where one lies there.
        unlisted: identities that such lists do not speak of; they are divided by hash.
        missing: what this data set usually has and this folder has not, in words.
    """

    videos: list[Video]
    splits: Mapping[str, str] | None = None
    split_lists: AnyPath | None = None
    unlisted: frozenset[str] = frozenset()
    missing: list[str] = field(default_factory=list)

    def summary(self, title: str) -> str:
        """One line: what was found, and what is missing."""
        originals = sum(video.label == 0 for video in self.videos)
        methods = Counter(video.manipulation for video in self.videos if video.label == 1)
        found = [f"{originals} originals", *(f"{name} {count}" for name, count in sorted(methods.items()))]
        missing = f"; missing: {', '.join(self.missing)}" if self.missing else ""
        return f"{title}: {', '.join(found)}{missing}"
