"""Damages videos as discs, networks and cut recordings do, and says how wrong a frame then looks."""

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data

from tests.fakes import write_video

NUM_FRAMES = 60
# Three groups of pictures each.
ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {"crf": "23", "g": "20"}),
    "h264 cavlc": ("libx264", {"crf": "23", "g": "20", "coder": "vlc"}),
    "hevc": ("libx265", {"crf": "25", "x265-params": "log-level=none:keyint=20"}),
    "hevc with checksums": ("libx265", {"crf": "25", "x265-params": "log-level=none:keyint=20:hash=1"}),
    "mpeg4": ("mpeg4", {"g": "20"}),
    "mpeg4 b-frames": ("mpeg4", {"g": "20", "bf": "2"}),
}
_SECTOR = 512


def textured_frames(num_frames: int = NUM_FRAMES, width: int = 192, height: int = 144) -> list[np.ndarray]:
    """A photograph that moves, and a patch that moves over it: whatever is damaged can be seen."""
    photo = cv2.resize(skimage.data.astronaut(), (400, 400), interpolation=cv2.INTER_AREA)
    frames = []
    for time in range(num_frames):
        x, y = 80 + 50 * np.sin(time / 11), 60 + 40 * np.cos(time / 9)
        frame = cv2.warpAffine(photo, np.float32([[1, 0, -x], [0, 1, -y]]), (width, height))
        left = 4 * time % (width - 40)
        frame[50:90, left : left + 40] = photo[200:240, 100:140]
        frames.append(frame)
    return frames


def write_encoded(path: Path, encoder: str) -> Path:
    """Textured frames by a key of ENCODERS."""
    codec, options = ENCODERS[encoder]
    return write_video(path, textured_frames(), codec, **options)


def zero_a_sector(source: Path, target: Path, random: np.random.Generator) -> None:
    """512 bytes of a file's frames read as zeros."""

    def zero(data: np.ndarray, at: int, first: int, last: int) -> None:
        sector = at // _SECTOR * _SECTOR
        data[max(sector, first) : min(sector + _SECTOR, last)] = 0

    _change_bytes(source, target, random, zero)


def flip_a_bit(source: Path, target: Path, random: np.random.Generator) -> None:
    """One bit of a file's frames is wrong."""

    def flip(data: np.ndarray, at: int, *_: int) -> None:
        data[at] ^= 1 << random.integers(8)

    _change_bytes(source, target, random, flip)


def cut_a_packet(source: Path, target: Path, random: np.random.Generator) -> None:
    """A packet lacks its end."""
    chosen = random.integers(NUM_FRAMES)

    def cut(number: int, packet: av.Packet) -> av.Packet:
        if number != chosen:
            return packet
        part = av.Packet(bytes(packet)[: random.integers(1, packet.size)])
        part.pts, part.dts, part.time_base = packet.pts, packet.dts, packet.time_base
        part.duration, part.is_keyframe = packet.duration, packet.is_keyframe
        return part

    _change_packets(source, target, cut)


def drop_a_packet(source: Path, target: Path, random: np.random.Generator) -> None:
    """A packet is not there."""
    drop(source, target, random.integers(NUM_FRAMES))


def drop(source: Path, target: Path, chosen: int) -> None:
    """Leaves a packet out, by its position in the file."""
    _change_packets(source, target, lambda number, packet: None if number == chosen else packet)


def zero(source: Path, target: Path, chosen: int) -> None:
    """Eight bytes in the middle of a packet read as zeros, by its position in the file."""
    with av.open(str(source)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][chosen]
    data = bytearray(source.read_bytes())
    middle = packet.pos + packet.size // 2
    data[middle : middle + 8] = bytes(8)
    target.write_bytes(data)


def luma_by_time(path: Path) -> dict[float, np.ndarray]:
    """Every frame's luma, uint8 [H, W], by milliseconds."""
    with av.open(str(path)) as container:
        return {round(f.time * 1000): f.to_ndarray()[: f.height] for f in container.decode(video=0)}


def worst_block(a: np.ndarray, b: np.ndarray) -> float:
    """The largest mean absolute difference of two images' blocks of 8 x 8 pixels, in grey levels."""
    apart = np.abs(a.astype(np.float32) - b)
    height, width = (side // 8 * 8 for side in apart.shape)
    return float(apart[:height, :width].reshape(height // 8, 8, width // 8, 8).mean((1, 3)).max())


def _change_bytes(
    source: Path,
    target: Path,
    random: np.random.Generator,
    change: Callable[[np.ndarray, int, int, int], None],
) -> None:
    """`change` gets the file's bytes, a random place in the frames, and where the frames begin and end."""
    with av.open(str(source)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = np.frombuffer(source.read_bytes(), np.uint8).copy()
    offsets = np.cumsum([0, *(size for _, size in places)])
    at = random.integers(offsets[-1])
    packet = np.searchsorted(offsets, at, side="right") - 1
    first, last = min(pos for pos, _ in places), max(pos + size for pos, size in places)
    change(data, places[packet][0] + at - offsets[packet], first, last)
    target.write_bytes(data.tobytes())


def _change_packets(source: Path, target: Path, change: Callable[[int, av.Packet], av.Packet | None]) -> None:
    """Writes the packets anew; `change` gets a packet's number and the packet."""
    with av.open(str(source)) as container, av.open(str(target), "w") as output:
        stream = container.streams.video[0]
        copy = output.add_stream_from_template(stream)
        for number, packet in enumerate(packet for packet in container.demux(stream) if packet.size):
            changed = change(number, packet)
            if changed is not None:
                changed.stream = copy
                output.mux(changed)
