"""One video of a data set, and what is known about it before it is opened."""

from dataclasses import dataclass

ORIGINAL = "original"
LABEL_NAMES = ("real", "fake")


@dataclass(frozen=True)
class Video:
    """A video file with its label and identities.

    Attributes:
        path: where the file is.
        video_id: its name within its manipulation method, such as '000' or '000_003'.
        label: 0 real, 1 fake.
        manipulation: 'original', or the method that made it.
        target_id: the identity (source video) whose face is seen or was replaced.
        source_id: the identity that drove the manipulation; '' for an original.
    """

    path: str
    video_id: str
    label: int
    manipulation: str
    target_id: str
    source_id: str = ""

    @property
    def key(self) -> str:
        """Unique in a data set; the id alone is not, since 000_003 exists in every method."""
        return f"{self.manipulation}/{self.video_id}"

    @property
    def identities(self) -> tuple[str, ...]:
        """Every identity that must not be seen in another split."""
        return tuple(identity for identity in (self.target_id, self.source_id) if identity)
