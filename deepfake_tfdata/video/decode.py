"""Exact frames out of a video file, in one decoding pass."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from deepfake_tfdata.clips.limits import MAX_HELD_BYTES
from deepfake_tfdata.video.container import check_count, check_size, open_stream
from deepfake_tfdata.video.damage import refuse_touched, refuse_truncated
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.frame import DecodedFrame, display_of, pixel_aspect_of, square_size
from deepfake_tfdata.video.messages import decode_packet
from deepfake_tfdata.video.packets import DisplayOrder, scan_packets

__all__ = ["ChosenFrames", "DecodedFrame", "decode_all", "decode_frames", "shrink"]
Watch = Callable[[DecodedFrame], object]


@dataclass(frozen=True)
class ChosenFrames:
    """The chosen frames of a video, in order; iterate as often as needed.

    Frames that fit in memory are held. Larger ones (32 frames of 4K are 400 MB) are decoded again by every
    iteration.

    Attributes:
        path: the video file.
        indices: int64 [T], positions in the video.
        timestamps: float64 [T], seconds.
        times: T presentation times, in units of the stream.
        bits_a_pixel: of the coded video; None of images.
    """

    path: str
    indices: np.ndarray
    timestamps: np.ndarray
    _held: list[DecodedFrame] | None = field(repr=False)
    times: list[int | None] = field(default_factory=list, repr=False)
    bits_a_pixel: float | None = None

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[DecodedFrame]:
        if self._held is not None:
            return iter(self._held)
        return self._again()

    def _again(self) -> Iterator[DecodedFrame]:
        indices = self.indices.tolist()
        if None in self.times or len(set(self.times)) < len(indices):
            yield from (frame for frame in _decode(self.path, set()) if frame.index in indices)
            return
        # A damaged frame that is not wanted may be left out, and counting would be wrong from there on.
        wanted = dict(zip(self.times, indices, strict=True))
        for frame in _decode(self.path, set()):
            if frame.time_in_stream in wanted:
                yield replace(frame, index=wanted[frame.time_in_stream])


@dataclass(frozen=True)
class _Decoded:
    """What a decoding pass gave.

    Attributes:
        frames: the wanted ones that came.
        count: frames that the video turned out to have.
        complaints: positions of the packets at which the decoder complained.
    """

    frames: ChosenFrames
    count: int
    complaints: set[int]


def decode_frames(
    path: str, choose: Callable[[int], np.ndarray], watch: Watch = lambda frame: None
) -> ChosenFrames:
    """Decodes a video once, forward, and keeps the chosen frames.

    Seeking to each frame is slower (it decodes from the key frame before, every time) and, with open groups
    of pictures or variable frame rate, inexact.

    Args:
        path: the video file, or a folder of numbered images.
        choose: from the number of frames in the video to the indices to keep, increasing.
        watch: called with every frame that is decoded, also with those that only help to decode others; again
            from the first on where decoding has to begin anew. Not with images of a folder.

    Raises:
        VideoError: the file can't be opened or decoded, has no video in it, is larger than the limits, or is
            damaged where that can have touched a chosen frame; whatever `choose` raises.
    """
    if _is_folder(path):
        from deepfake_tfdata.video.image_folder import choose_images  # which gives frames of this module

        return choose_images(path, choose)
    table = scan_packets(path)
    count, order = table.count(), table.display_order()
    if not count:
        raise _nothing_decoded()
    refuse_truncated(table)
    indices = choose(count)
    if order is not None:
        decoded = _decode_at(path, indices, watch, order)
        if len(decoded.frames.times) == len(indices) and not decoded.complaints:
            refuse_touched(table, (), decoded.frames.times)
            return replace(decoded.frames, bits_a_pixel=table.bits_a_pixel)
        del decoded  # a packet gave no frame, so that the order can't be trusted, or something is damaged
    decoded = _decode_at(path, indices, watch)
    if decoded.count != count:
        # Some packets gave no frame (damage, a hidden frame), so the choice was made on a wrong count.
        count = decoded.count
        del decoded  # before as many are held again
        decoded = _decode_at(path, choose(count), watch)
    refuse_touched(table, decoded.complaints, decoded.frames.times)
    return replace(decoded.frames, bits_a_pixel=table.bits_a_pixel)


def decode_all(path: str) -> Iterator[DecodedFrame]:
    """Every frame of a video, file or folder of images; VideoError as decode_frames, not of damage."""
    return iter(decode_frames(path, np.arange)) if _is_folder(path) else _decode(path, set())


def shrink(image: np.ndarray, width: int) -> np.ndarray:
    """The image at `width` pixels wide, or as it is where it is no wider; area averaging."""
    if image.shape[1] <= width:
        return np.ascontiguousarray(image)
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _decode_at(path: str, indices: np.ndarray, watch: Watch, order: DisplayOrder | None = None) -> _Decoded:
    """The frames at the indices.

    With the display order given, frames that neither are wanted nor help to decode another are skipped.
    """
    wanted = set(indices.tolist())
    held: list[DecodedFrame] = []
    timestamps: list[float] = []
    times: list[int | None] = []
    complaints: set[int] = set()
    fits = True
    frame = None
    frames = _decode_needed(path, wanted, order, complaints) if order else _decode(path, complaints)
    for frame in frames:
        watch(frame)
        if frame.index in wanted:
            timestamps.append(frame.timestamp)
            times.append(frame.time_in_stream)
            fits = frame.num_bytes * len(wanted) <= MAX_HELD_BYTES
            if fits:
                held.append(frame)
    if frame is None and order is None:
        raise _nothing_decoded()
    last = -1 if frame is None else frame.index
    chosen = ChosenFrames(path, indices, np.array(timestamps), held if fits else None, times)
    return _Decoded(chosen, last + 1, complaints)


def _decode(path: str, complaints: set[int]) -> Iterator[DecodedFrame]:
    """Every frame in display order; adds the positions of the packets at which the decoder complained.

    A damaged packet loses the frames that the decoder calls corrupt and no other.
    """
    with open_stream(path) as (container, stream):
        rate, aspect = float(stream.average_rate or 25), pixel_aspect_of(stream)
        size = display = None
        index, position = 0, -1
        for packet in container.demux(stream):
            # The last packet is empty and gives the frames that wait.
            position += bool(packet.size)
            frames, is_sound = decode_packet(packet)
            if not is_sound:
                complaints.add(position)
            for frame in frames:
                check_count(index + 1)
                if size not in (None, (frame.width, frame.height)):
                    change = f"{size[0]}x{size[1]} to {frame.width}x{frame.height}"
                    raise VideoError("unreadable", f"its picture changes size from {change}")
                size = frame.width, frame.height
                check_size(*square_size(*size, aspect))
                time = index / rate if frame.time is None else frame.time
                display = display or display_of(stream, frame)
                yield DecodedFrame(index, time, frame, display)
                index += 1


def _decode_needed(
    path: str, wanted: set[int], order: DisplayOrder, complaints: set[int]
) -> Iterator[DecodedFrame]:
    """The wanted frames and those that others need; ends early where the order does not hold.

    It ends at the first complaint, too: the decoder also complains where a frame is missing that was skipped.
    """
    with open_stream(path) as (container, stream):
        rate, aspect = float(stream.average_rate or 25), pixel_aspect_of(stream)
        size = stream.codec_context.width, stream.codec_context.height
        check_size(*square_size(*size, aspect))
        display = None
        for position, packet in enumerate(container.demux(stream)):
            stream.codec_context.skip_frame = "DEFAULT" if order.get(packet.pts) in wanted else "NONREF"
            frames, is_sound = decode_packet(packet)
            if not is_sound:
                complaints.add(position)
                return
            for frame in frames:
                index = order.get(frame.pts)
                if index is None or (frame.width, frame.height) != size:
                    return
                display = display or display_of(stream, frame)
                time = index / rate if frame.time is None else frame.time
                yield DecodedFrame(index, time, frame, display)


def _is_folder(path: str) -> bool:
    with suppress(OSError):
        return Path(path).is_dir()
    return False  # whoever opens it finds the reason


def _nothing_decoded() -> VideoError:
    return VideoError("unreadable", "no frame could be decoded: the file is truncated or damaged")
