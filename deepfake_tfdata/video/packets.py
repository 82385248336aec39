"""What a video's packets tell before anything is decoded."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from deepfake_tfdata.video.bitstream import syntax_of
from deepfake_tfdata.video.container import check_count, open_stream
from deepfake_tfdata.video.measures import bits_a_pixel
from deepfake_tfdata.video.messages import messages

# In these a packet is a frame that is shown; others may hold frames that only serve to predict from.
_CODECS_WITHOUT_HIDDEN_FRAMES = ("h264", "hevc", "mpeg4")
# In these a frame does not say which one it is predicted from: nothing but the gap in time shows that one was
# dropped. The others number them.
_CODECS_WITHOUT_NUMBERS = ("mpeg4",)
# The share of frames at one distance from which on a video has a constant rate.
_CONSTANT = 0.9
# What FFmpeg's demuxers say of a file that ends before its index, or its last element, does.
_ENDS_EARLY = ("partial file", "ended prematurely")

# Formats of streams, of which a recording may begin anywhere.
_CUT_ANYWHERE = ("mpegts", "mpeg", "h264", "hevc", "m4v", "mpegvideo")

# From a packet's presentation time, in its stream's units, to the frame's position in the video.
DisplayOrder = dict[int | None, int]


@dataclass(frozen=True, slots=True)
class Packet:
    """What is kept of one.

    Attributes:
        time: of presentation, in its stream's units.
        is_key: decoding may start here.
        is_needed: other frames may need it.
        is_shown: no edit list leaves it out.
        is_sound: its bytes can be those that were encoded.
    """

    time: int | None
    is_key: bool
    is_needed: bool
    is_shown: bool
    is_sound: bool


@dataclass(frozen=True)
class PacketTable:
    """The packets of a video in decoding order.

    Attributes:
        packets: all that hold something.
        seconds_a_unit: of the packets' times.
        missing: frames that the file's index promises beyond its end.
        ends_early: whether the file ends in the middle of something.
        begins_late: whether it begins between key frames and is no recording of a broadcast, which may.
        bits_a_pixel: of the coded video.
    """

    packets: list[Packet]
    seconds_a_unit: float
    codec: str
    missing: int
    ends_early: bool
    begins_late: bool = False
    bits_a_pixel: float | None = None

    def count(self) -> int:
        """Frames, by the packets: right where a header's count is not."""
        return sum(packet.is_shown for packet in self.packets)

    def display_order(self) -> DisplayOrder | None:
        """Where the packets tell it: every one has a time of its own, none is cut off, none is hidden."""
        times = {packet.time for packet in self.packets}
        clear = None not in times and len(times) == len(self.packets) == self.count()
        if not clear or self.codec not in _CODECS_WITHOUT_HIDDEN_FRAMES:
            return None
        return {time: index for index, time in enumerate(sorted(time for time in times if time is not None))}

    def unsound(self) -> set[int]:
        """Positions of the packets whose bytes can't be right, or before which one is missing."""
        return {i for i, packet in enumerate(self.packets) if not packet.is_sound} | self._after_gaps()

    def reach(self, position: int) -> list[int]:
        """Positions of the packets that may look wrong if the one at this position is damaged.

        That is itself and, if others may need it, the rest of its group of pictures, with the frames of the
        next that are shown before its key frame: they may be predicted from both.
        """
        if not self.packets[position].is_needed:
            return [position]
        return [i for i in self.group(position) if i >= position]

    def first_of_each_group(self, positions: Iterable[int]) -> list[int]:
        """Of packets at any positions the first in each group of pictures."""
        firsts, after = [], 0
        for position in sorted(positions):
            if position >= after:
                firsts.append(position)
                _, after = self._bounds(position)
        return firsts

    def group(self, position: int) -> list[int]:
        """Positions of the packets in one's group of pictures, and of those in the next that may need it."""
        first, after = self._bounds(position)
        members = list(range(first, after))
        if after < len(self.packets) and (key := self.packets[after].time) is not None:
            following = range(after + 1, len(self.packets))
            members += takewhile(lambda i: self._is_before(i, key), following)
        return members

    def _bounds(self, position: int) -> tuple[int, int]:
        """The first position of one's group of pictures, and the one after its last."""
        first, after = position, position + 1
        while first and not self.packets[first].is_key:
            first -= 1
        while after < len(self.packets) and not self.packets[after].is_key:
            after += 1
        return first, after

    def _is_before(self, position: int, time: int) -> bool:
        mine = self.packets[position].time
        return mine is not None and mine < time

    def _after_gaps(self) -> set[int]:
        """Positions of the first packets after a gap in a video of constant rate."""
        times = {packet.time: i for i, packet in enumerate(self.packets) if packet.time is not None}
        if self.codec not in _CODECS_WITHOUT_NUMBERS or len(times) < len(self.packets) or len(times) < 3:
            return set()
        ordered = np.array(sorted(times))
        steps = np.diff(ordered)
        usual = np.median(steps)
        if np.mean(np.abs(steps - usual) * self.seconds_a_unit < 0.0015) < _CONSTANT:
            return set()
        return {times[time] for time in ordered[1:][steps > 1.5 * usual].tolist()}


def scan_packets(path: str) -> PacketTable:
    """Reads a video's packets and decodes none; VideoError as open_stream, and where they are too many."""
    with open_stream(path) as (container, stream):
        syntax = syntax_of(stream.codec_context.name, stream.codec_context.extradata)
        packets: list[Packet] = []
        count = num_bytes = 0
        with messages() as lines:
            for packet in container.demux(stream):
                num_bytes += packet.size
                if packet.size:
                    data = bytes(packet) if syntax else b""
                    # An edit list cuts packets off that the decoder still needs.
                    count += not packet.is_discard
                    check_count(count)
                    packets.append(
                        Packet(
                            packet.pts,
                            packet.is_keyframe,
                            syntax is None or syntax.is_needed(data),
                            not packet.is_discard,
                            not packet.is_corrupt and (syntax is None or syntax.is_sound(data)),
                        )
                    )
        ends_early = any(words in text for _, _, text in lines for words in _ENDS_EARLY)
        missing = max(stream.frames - len(packets), 0) if ends_early else 0
        cut_anywhere = container.format.name in _CUT_ANYWHERE
        context = stream.codec_context
        return PacketTable(
            packets,
            float(stream.time_base or 0),
            context.name,
            missing,
            ends_early,
            begins_late=bool(packets) and not packets[0].is_key and not cut_anywhere,
            bits_a_pixel=bits_a_pixel(num_bytes, context.width, context.height, count),
        )
