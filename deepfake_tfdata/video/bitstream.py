"""What a packet of H.264 or HEVC shows undecoded: whether its bytes can be right, and whether others need it.

Both codecs cut a packet into NAL units. Within one the bytes 0 0 are never followed by 0, 1 or 2: the encoder
inserts a 3 (Rec. ITU-T H.264 and H.265, section 7.4.1). A lost sector that reads as zeros can't be missed by
that; the decoder misses many.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

# What may not stand within a NAL unit; zeros at its end may.
_FORBIDDEN = (b"\0\0\0", b"\0\0\1", b"\0\0\2")
_START_CODE = b"\0\0\1"


@dataclass(frozen=True)
class Syntax:
    """How a stream's packets are cut into NAL units, and what their headers say.

    Attributes:
        length_size: bytes of the length before each NAL unit; 0 where start codes part them.
        has_slice: whether a NAL unit that begins with this byte holds a part of a picture.
        is_reference: whether other pictures may need it.
    """

    length_size: int
    has_slice: Callable[[int], bool]
    is_reference: Callable[[int], bool]

    def is_sound(self, packet: bytes) -> bool:
        """Whether the packet's bytes can be those that were encoded."""
        try:
            return all(self._is_sound_unit(packet, *unit) for unit in self._units(packet))
        except ValueError:
            return False

    def is_needed(self, packet: bytes) -> bool:
        """Whether other pictures may need this one."""
        try:
            first = (packet[start] for start, _ in self._units(packet))
            return any(self.has_slice(byte) and self.is_reference(byte) for byte in first)
        except ValueError:
            return True

    def _is_sound_unit(self, packet: bytes, start: int, end: int) -> bool:
        if packet[start] & 0x80:
            return False
        if not self.has_slice(packet[start]) or packet.find(b"\0\0", start, end) < 0:
            return True
        while packet[end - 1] == 0:
            end -= 1
        return all(packet.find(bad, start, end) < 0 for bad in _FORBIDDEN)

    def _units(self, packet: bytes) -> Iterator[tuple[int, int]]:
        return self._by_length(packet) if self.length_size else self._by_start_code(packet)

    def _by_length(self, packet: bytes) -> Iterator[tuple[int, int]]:
        """Start and end of every NAL unit; ValueError where the lengths do not add up to the packet's."""
        start, size = 0, len(packet)
        while start < size:
            length = int.from_bytes(packet[start : start + self.length_size], "big")
            start += self.length_size
            if not length or start + length > size:
                raise ValueError(f"a NAL unit of {length} bytes at {start} of {size}")
            yield start, start + length
            start += length

    def _by_start_code(self, packet: bytes) -> Iterator[tuple[int, int]]:
        start = packet.find(_START_CODE)
        if start < 0:
            raise ValueError("there is no start code")
        while start >= 0:
            start += len(_START_CODE)
            following = packet.find(_START_CODE, start)
            end = len(packet) if following < 0 else following
            if start < end:
                yield start, end
            start = following


def syntax_of(codec: str, extradata: bytes | None) -> Syntax | None:
    """The syntax of a stream's packets by its codec and its container's header; None for other codecs."""
    extradata = extradata or b""
    # AVCDecoderConfigurationRecord and HEVCDecoderConfigurationRecord, ISO/IEC 14496-15.
    in_lengths = len(extradata) > 22 and extradata[:3] != _START_CODE and extradata[:4] != b"\0" + _START_CODE
    if codec == "h264":
        in_lengths = len(extradata) > 4 and extradata[0] == 1
        return Syntax(
            (extradata[4] & 3) + 1 if in_lengths else 0,
            has_slice=lambda byte: 1 <= byte & 31 <= 5,
            is_reference=lambda byte: bool(byte & 0x60),
        )
    if codec == "hevc":
        return Syntax(
            (extradata[21] & 3) + 1 if in_lengths else 0,
            has_slice=lambda byte: byte >> 1 & 63 < 32,
            # Even types below 16 are those that no picture of their layer needs; a higher layer may.
            is_reference=lambda byte: byte >> 1 & 63 > 15 or bool(byte >> 1 & 1),
        )
    return None
