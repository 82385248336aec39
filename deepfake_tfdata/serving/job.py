"""One uploaded video on its way to a verdict."""

import secrets
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from deepfake_tfdata.serving.uploads import Upload

# What a client can see it do, in this order; or it failed.
WAITING, LOOKING, SCORING, DONE, FAILED = "waiting", "looking_for_faces", "scoring", "done", "failed"


@dataclass(frozen=True)
class Result:
    """What a client gets.

    Attributes:
        verdict: what verdict.json holds.
        page: of the verdict; '' where nobody is to look at it.
    """

    verdict: Mapping[str, Any]
    page: str


class JobFailed(Exception):
    """There is no verdict, not even an abstention: the message says why, in one line.

    Attributes:
        status: of the answer.
    """

    def __init__(self, why: str, status: int = 500) -> None:
        super().__init__(why)
        self.status = status


@dataclass(eq=False)
class Job:
    """A video that a verdict is asked on.

    Attributes:
        upload: the video; deleted once it is looked at.
        with_page: whether somebody is to look at the verdict.
        id: unguessable: who knows it may read the verdict.
        progress: where it is, before it has ended.
        result: when it is there; or JobFailed.
        ended: by time.monotonic(); None before.
    """

    upload: Upload
    with_page: bool
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    progress: str = WAITING
    result: "Future[Result]" = field(default_factory=Future)
    ended: float | None = None

    @property
    def stage(self) -> str:
        """Where it is; 'done' and 'failed' only with a result."""
        if not self.result.done():
            return self.progress
        return FAILED if self.result.exception() else DONE
