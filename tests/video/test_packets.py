"""What packets tell undecoded: bytes that can't be, gaps, and how far damage reaches."""

from dataclasses import replace

import pytest

from deepfake_tfdata.video.bitstream import syntax_of
from deepfake_tfdata.video.packets import Packet, PacketTable, scan_packets
from tests.fakes import numbered_frames, write_video

# Configuration records of mp4: lengths of 4 bytes.
AVCC = bytes([1, 66, 0, 30, 0xFF]) + bytes(20)
HVCC = bytes([1]) + bytes(20) + bytes([0x0F]) + bytes(4)
# First bytes of NAL units: a picture that others need, one that none needs, a message.
H264, HEVC = (0x65, 0x01, 0x06), (0x02, 0x00, 0x4E)
# Shown 0, 3, 1, 2, then from a key frame at 6 on 4, 5 and 7: an open group of pictures.
TIMES, KEYS = [0, 3, 1, 2, 6, 4, 5, 7], (0, 4)


def in_lengths(*units):
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def in_start_codes(*units):
    return b"".join(b"\0\0\0\1" + unit for unit in units)


@pytest.mark.parametrize(("codec", "record", "first"), [("h264", AVCC, H264), ("hevc", HVCC, HEVC)])
@pytest.mark.parametrize("join", [in_lengths, in_start_codes])
@pytest.mark.parametrize(
    ("payload", "sound"),
    [
        (b"\x88\x84abc", True),
        (b"\x88\0\0\3\1abc", True),
        (b"\x88abc\0\0", True),
        (b"\x88\0\0\0abc", False),
        (b"\x88\0\0\2abc", False),
        (b"\x88" + bytes(512) + b"abc", False),
    ],
)
def test_bytes_that_no_encoder_writes(codec, record, first, join, payload, sound):
    syntax = syntax_of(codec, record if join is in_lengths else None)
    unit = bytes([first[0]]) + payload
    assert syntax.is_sound(join(unit)) is sound
    assert syntax.is_sound(join(unit, b"\x02abc")) is sound
    if join is in_lengths:
        # Messages beside the picture may hold anything.
        assert syntax.is_sound(join(bytes([first[2]]) + payload))


@pytest.mark.parametrize(("codec", "record", "first"), [("h264", AVCC, H264), ("hevc", HVCC, HEVC)])
def test_lengths_must_add_up(codec, record, first):
    packet = in_lengths(bytes([first[0], 9, 9, 9]))
    syntax = syntax_of(codec, record)
    assert syntax.is_sound(packet)
    assert not syntax.is_sound(packet[:-1])
    assert not syntax.is_sound(packet + b"\0\0")
    assert not syntax.is_sound(in_lengths(bytes([0x80 | first[0], 9])))


@pytest.mark.parametrize(("codec", "record", "first"), [("h264", AVCC, H264), ("hevc", HVCC, HEVC)])
def test_who_is_needed(codec, record, first):
    syntax = syntax_of(codec, record)
    needed, disposable, message = (in_lengths(bytes([byte, 1, 2])) for byte in first)
    assert syntax.is_needed(needed)
    assert not syntax.is_needed(disposable)
    assert not syntax.is_needed(message + disposable)
    assert syntax.is_needed(message + needed)


def table(**changes):
    packets = [Packet(time, i in KEYS, i in (0, 1, 4, 7), True, True) for i, time in enumerate(TIMES)]
    whole = PacketTable(packets, seconds_a_unit=0.04, codec="h264", missing=0, ends_early=False)
    return replace(whole, **changes)


@pytest.mark.parametrize(
    ("position", "reached"),
    [
        (0, [0, 1, 2, 3, 5, 6]),  # the leading frames of the next group may need it, its key frame does not
        (1, [1, 2, 3, 5, 6]),
        (2, [2]),  # no other needs it
        (4, [4, 5, 6, 7]),
        (7, [7]),
    ],
)
def test_damage_reaches_what_is_predicted_from_it(position, reached):
    assert list(table().reach(position)) == reached


def of_times(codec, times):
    return table(codec=codec, packets=[Packet(time, False, True, True, True) for time in times])


def test_a_gap_in_a_constant_rate_shows_what_was_dropped():
    steady = [*range(20), *range(21, 40)]
    assert of_times("mpeg4", steady).unsound() == {20}
    assert of_times("mpeg4", range(40)).unsound() == set()
    # The others number their frames.
    assert of_times("h264", steady).unsound() == set()
    variable = [step * step for step in range(40)]
    assert of_times("mpeg4", variable).unsound() == set()


def test_a_whole_file_is_sound(tmp_path):
    found = scan_packets(str(write_video(tmp_path / "a.mp4", numbered_frames(12))))
    assert (found.count(), found.unsound(), found.ends_early, found.missing) == (12, set(), False, 0)
    assert sorted(found.display_order().values()) == list(range(12))


def test_only_the_first_of_each_group_counts():
    assert table().first_of_each_group([7, 2, 1, 5]) == [1, 5]
    assert table().first_of_each_group([]) == []
