"""What FFmpeg says while it works: much of what it conceals it tells nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple

import av
import av.logging

# These check what they decode, and call an error what is one.
_STRICT_CODECS = ("h264", "hevc", "mpeg4")
# Said of pictures that are whole: of messages beside them, of packets that hold none, and of the list of
# references in streams that were cut and joined; a picture that is missing then has a message of its own.
_HARMLESS = ("SEI", "no frame!", "mmco: unref short failure")
# Said at lower levels: the decoder made up the rest of a picture; a picture that others need was dropped.
_DOUBTFUL = ("concealing", "Frame num gap")


# FFmpeg has one level for the whole process. It is put back when the last who listens is done: threads must
# not silence each other.
_lock = Lock()
_listeners = 0
_before: tuple[int | None, bool] = (None, True)


class Message(NamedTuple):
    """A line of FFmpeg's: its level (lower is graver), who says it, the text."""

    level: int
    name: str
    text: str


@contextmanager
def messages(level: int = av.logging.INFO) -> Iterator[list[tuple[int, str, str]]]:
    """Collects what FFmpeg says in this thread within the block, as Messages' fields, down to a level."""
    _listen(level)
    try:
        with av.logging.Capture() as lines:
            yield lines
    finally:
        _leave()


def decode_packet(packet: "av.Packet[av.VideoStream]") -> tuple[list[av.VideoFrame], bool]:
    """Decodes one.

    Returns:
        The frames that it completes, without those that the decoder itself calls corrupt; and whether the
        decoder had nothing to complain of. A frame predicted from a corrupt one does not count as corrupt.
    """
    codec = packet.stream.codec_context.name
    # H.264's gaps are no more than a remark; HEVC has a hundred remarks a picture.
    with messages(av.logging.DEBUG if codec == "h264" else av.logging.INFO) as lines:
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            return [], False
    whole = [frame for frame in frames if not frame.is_corrupt]
    return whole, len(whole) == len(frames) and not any(
        _is_complaint(Message(*line), codec) for line in lines
    )


def _is_complaint(message: Message, codec: str) -> bool:
    if any(words in message.text for words in _DOUBTFUL):
        return True
    grave = codec in _STRICT_CODECS and message.level <= av.logging.ERROR
    return grave and not any(words in message.text for words in _HARMLESS)


def _listen(level: int) -> None:
    global _listeners, _before
    with _lock:
        if not _listeners:
            _before = av.logging.get_level(), av.logging.get_skip_repeated()
            av.logging.set_level(level)
            av.logging.set_skip_repeated(False)
        elif level > (av.logging.get_level() or 0):
            av.logging.set_level(level)
        _listeners += 1


def _leave() -> None:
    global _listeners
    with _lock:
        _listeners -= 1
        if not _listeners:
            level, skips = _before
            av.logging.set_level(level)
            av.logging.set_skip_repeated(skips)
