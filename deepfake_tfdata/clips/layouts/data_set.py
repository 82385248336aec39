"""What a layout finds in a folder."""

from collections import Counter
from collections.abc import Mapping, Sequence
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
        notes: what else a person should know of how it was read.
        in_several_splits: by key, the splits of every video that the data set itself puts into more than one;
            `splits` has but the one that counts.
    """

    videos: list[Video]
    splits: Mapping[str, str] | None = None
    split_lists: AnyPath | None = None
    unlisted: frozenset[str] = frozenset()
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    in_several_splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def methods(self) -> Counter[str]:
        """How many fakes each method has."""
        return Counter(video.manipulation for video in self.videos if video.label == 1)

    def summary(self, title: str) -> str:
        """One line: what was found, what is missing, and what to know."""
        originals = sum(video.label == 0 for video in self.videos)
        fakes = [f"{method} {count}" for method, count in sorted(self.methods.items())]
        found = [f"{originals} originals", *fakes]
        missing = f"; missing: {', '.join(self.missing)}" if self.missing else ""
        return "; ".join([f"{title}: {', '.join(found)}{missing}", *self.notes])


def passed_over(what: str, names: Sequence[str]) -> list[str]:
    """A note on what is there and is not taken, with the first of it; none where there is nothing."""
    return [f"passed over: {len(names)} {what} (the first: {names[0]})"] if names else []
