"""A video on its way in: counted while it comes, and stored where no name on the disk leads to it."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.types import Message, Receive

from deepfake_tfdata.clips.video import safe_text

FIELD = "file"
# Of a request beside the video: the parts' heads, and fields that a form has.
_BESIDE_BYTES = 1 << 16
_MAX_FIELDS = 8
_MAX_NAME = 120
_HAS_PROC = Path("/proc/self/fd").is_dir()


class Upload:
    """A video as it was sent, in a temporary file that ends with `close`, or with this process.

    On Linux the file has no name at all (O_TMPFILE): workers open it through this process's descriptor, and
    even SIGKILL leaves nothing. Elsewhere it is a named temporary file.

    Attributes:
        name: that the client gave it, made safe text.
        path: for a worker process.
    """

    def __init__(self, name: str, content: IO[bytes]) -> None:
        self.name = name
        self._files = ExitStack()
        self._files.enter_context(content)
        content.seek(0)  # for who copies it, and nothing stays in a buffer
        if _HAS_PROC:
            # The number that a spooled file gets makes it a real one.
            self.path = f"/proc/{os.getpid()}/fd/{content.fileno()}"
        else:
            named = self._files.enter_context(NamedTemporaryFile())  # noqa: SIM115
            shutil.copyfileobj(content, named)
            named.flush()
            self.path = named.name

    def close(self) -> None:
        """Deletes it; a worker that has it open may go on reading."""
        self._files.close()


async def receive_upload(request: Request, max_bytes: int, max_seconds: float) -> Upload:
    """Reads a multipart request with one file.

    Args:
        request: not read yet.
        max_bytes: of the file.
        max_seconds: that all of it may take.

    Raises:
        HTTPException: 400 not such a request, 408 too slow, 413 too large, 507 no room on the disk.
        ClientDisconnect: the client went away.
    """
    _require_length(request.headers, max_bytes)
    limited = Request(request.scope, _limited(request.receive, max_bytes))
    try:
        form = await asyncio.wait_for(limited.form(max_files=1, max_fields=_MAX_FIELDS), max_seconds)
    except asyncio.TimeoutError:
        raise HTTPException(408, f"the video did not arrive within {max_seconds:g} seconds") from None
    except OSError as error:
        raise HTTPException(507, f"the server can't store the video: {error.strerror}") from error
    sent = form.get(FIELD)
    if not isinstance(sent, UploadFile):
        await form.close()
        raise HTTPException(400, f"send the video as the file '{FIELD}' of a multipart/form-data request")
    return await asyncio.to_thread(Upload, _shown_name(sent.filename or ""), sent.file)


def _require_length(headers: Mapping[str, str], max_bytes: int) -> None:
    """Refuses at once what says that it is too large."""
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes + _BESIDE_BYTES:
        raise _too_large(max_bytes)


def _limited(receive: Receive, max_bytes: int) -> Receive:
    """The same messages, up to so many bytes: a length may be missing."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > max_bytes + _BESIDE_BYTES:
            raise _too_large(max_bytes)
        return message

    return limited


def _too_large(max_bytes: int) -> HTTPException:
    return HTTPException(413, f"the video has more than {max_bytes >> 20} MiB; cut it, or send a part of it")


def _shown_name(name: str) -> str:
    """A client's name for a file without its folders, of either kind of slash."""
    return safe_text(name.replace("\\", "/").rpartition("/")[2])[-_MAX_NAME:] or "video"
