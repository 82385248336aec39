"""Why a video gave no clip."""


class VideoError(Exception):
    """A video that can't be used.

    Attributes:
        status: the ledger's word for it, such as 'unreadable'.
        reason: a sentence for a person.
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class NoFaceError(VideoError):
    """The face was found in no frame."""

    def __init__(self) -> None:
        super().__init__("no_face", "no face was found in any of the sampled frames")
