"""Refuses a video where damage can have touched a frame that would be stored."""

from collections.abc import Iterable

from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.packets import PacketTable


def refuse_truncated(table: PacketTable) -> None:
    """VideoError where the file ends before it should: what it was is not known."""
    if not table.ends_early:
        return
    if table.missing:
        raise _damaged(table, range(len(table.packets), len(table.packets)))
    count = table.count()
    raise VideoError(
        "damaged", f"the file is truncated: it ends after {count} frames, in the middle of something"
    )


def refuse_touched(table: PacketTable, complaints: Iterable[int], stored: Iterable[int | None]) -> None:
    """VideoError where damage can have touched a frame that would be stored.

    What was seen in a packet's bytes reaches the frames that are predicted from it. What the decoder
    complained of elsewhere may have begun in an earlier packet of the group of pictures: all is in doubt.

    Args:
        table: the video's packets.
        complaints: positions of the packets at which the decoder complained.
        stored: presentation times of the frames that would be stored, in units of their stream.
    """
    unsound = table.unsound()
    needed = table.first_of_each_group(i for i in unsound if table.packets[i].is_needed)
    hit = unsound.union(*map(table.reach, needed))
    unexplained = table.first_of_each_group(set(complaints) - unsound)
    groups = {first: table.group(first) for first in unexplained}
    times = {table.packets[i].time for i in hit.union(*groups.values())}
    lacks_begin = table.begins_late and any(0 in group for group in groups.values())
    if None in times or lacks_begin or not times.isdisjoint(stored):
        raise _damaged(table, hit.union(*([i for i in groups[first] if i >= first] for first in groups)))


def _damaged(table: PacketTable, positions: Iterable[int]) -> VideoError:
    """The error for damage in the packets at the positions and in those that the file lacks."""
    hit = [table.packets[i] for i in positions]
    count = sum(packet.is_shown for packet in hit) + table.missing
    times = [packet.time for packet in hit if packet.time is not None]
    if not hit:
        times = [max((p.time for p in table.packets if p.time is not None), default=0)]
    first = f" (first at {min(times) * table.seconds_a_unit:.1f} s)" if times else ""
    return VideoError(
        "damaged", f"{count} of {table.count() + table.missing} frames are damaged or missing{first}"
    )
