"""No frame that damage touched is stored: the video is refused instead."""

import re
from functools import partial

import numpy as np
import pytest

from deepfake_tfdata.video import decode
from deepfake_tfdata.video.decode import decode_frames
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.frame_sampling import consecutive_indices, linspace_indices
from deepfake_tfdata.video.packets import scan_packets
from tests.fakes import write_video
from tests.video import damage, odd

# Grey levels by which a block may differ.
TOLERANCE = 30
SAMPLINGS = {
    "linspace": partial(linspace_indices, num_frames=16),
    "consecutive": lambda count: consecutive_indices(count, 8, 1).ravel(),
}


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    paths = {name: damage.write_encoded(folder / f"{name}.mp4", name) for name in damage.ENCODERS}
    return {name: (path, damage.luma_by_time(path)) for name, path in paths.items()}


def outcome(path, whole, sampling):
    """'ok', 'damaged: ...' and such, or 'made up' where a stored frame is wrong."""
    try:
        frames = decode_frames(str(path), SAMPLINGS[sampling])
    except VideoError as error:
        return f"{error.status}: {error.reason}"
    for frame in frames:
        if damage.worst_block(frame.grey(), whole[round(frame.timestamp * 1000)]) > TOLERANCE:
            return "made up"
    return "ok"


def outcomes(video, spoil, sampling, tmp_path, trials):
    path, whole = video
    found = []
    for seed in range(trials):
        spoil(path, tmp_path / "damaged.mp4", np.random.default_rng(seed))
        found.append(outcome(tmp_path / "damaged.mp4", whole, sampling))
    return found


@pytest.mark.parametrize("encoder", damage.ENCODERS)
@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("spoil", [damage.zero_a_sector, damage.cut_a_packet, damage.drop_a_packet])
def test_no_frame_is_made_up(videos, encoder, sampling, spoil, tmp_path):
    found = outcomes(videos[encoder], spoil, sampling, tmp_path, 12)
    assert "made up" not in found
    assert any(one.startswith("damaged") for one in found)


@pytest.mark.parametrize(
    # The share of flipped bits that leave a valid stream, and wrong frames, which nothing can tell.
    ("encoder", "unseen"),
    [("h264", 0.15), ("h264 cavlc", 0.15), ("hevc with checksums", 0), ("mpeg4", 0.15)],
)
def test_few_flipped_bits_go_unseen(videos, encoder, unseen, tmp_path):
    found = outcomes(videos[encoder], damage.flip_a_bit, "linspace", tmp_path, 30)
    assert found.count("made up") <= unseen * len(found)


@pytest.mark.parametrize("encoder", damage.ENCODERS)
def test_whole_videos_are_accepted(videos, encoder):
    assert {outcome(*videos[encoder], sampling) for sampling in SAMPLINGS} == {"ok"}


def test_the_reason_counts_the_frames_from_the_damaged_one_on(videos, tmp_path):
    path, whole = videos["mpeg4"]
    damage.drop(path, tmp_path / "a.mp4", 27)  # its group of pictures is 20 to 39
    assert outcome(tmp_path / "a.mp4", whole, "linspace") == (
        "damaged: 12 of 59 frames are damaged or missing (first at 1.1 s)"
    )


def test_damage_that_no_stored_frame_needs_is_passed_over(videos, tmp_path):
    path, whole = videos["h264"]
    # The clip's 8 frames are 26 to 33; the group of pictures from 40 on is not theirs.
    damage.zero(path, tmp_path / "a.mp4", 41)
    assert outcome(tmp_path / "a.mp4", whole, "consecutive") == "ok"
    assert outcome(tmp_path / "a.mp4", whole, "linspace").startswith("damaged")


def test_frames_decoded_again_are_the_same_behind_a_damaged_one(videos, tmp_path, monkeypatch):
    path, whole = videos["h264"]
    packets = scan_packets(str(path)).packets
    position = next(i for i, packet in enumerate(packets) if i > 5 and not packet.is_needed)
    damage.zero(path, tmp_path / "a.mp4", position)
    times = sorted(packet.time for packet in packets)
    others = np.array([i for i in range(0, 60, 4) if times[i] != packets[position].time])
    monkeypatch.setattr(decode, "MAX_HELD_BYTES", 1000)
    frames = decode_frames(str(tmp_path / "a.mp4"), lambda count: others)
    again = list(frames)
    assert [frame.index for frame in again] == others.tolist()
    assert [frame.timestamp for frame in again] == frames.timestamps.tolist()
    for frame in again:
        np.testing.assert_array_equal(frame.grey(), whole[round(frame.timestamp * 1000)])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.mp4", r"\d+ of 40 frames are damaged or missing"),
        ("a.mkv", "the file is truncated: .* after \\d+ "),
    ],
)
def test_a_truncated_file_is_refused(tmp_path, name, reason):
    path = odd.truncated(odd.streamable(tmp_path / name), 0.7)
    with pytest.raises(VideoError) as error:
        decode_frames(str(path), np.arange)
    assert error.value.status == "damaged"
    assert re.match(reason, error.value.reason), error.value.reason


@pytest.mark.parametrize("encoder", damage.ENCODERS)
def test_a_file_without_its_first_key_frame_is_refused(videos, encoder, tmp_path):
    path, whole = videos[encoder]
    damage.drop(path, tmp_path / "a.mp4", 0)
    found = outcome(tmp_path / "a.mp4", whole, "linspace")
    assert re.match(r"damaged: \d+ of 5\d frames are damaged or missing \(first at 0.0 s\)", found)


def test_a_stream_cut_anywhere_gives_whole_frames_or_none(tmp_path):
    path = write_video(tmp_path / "a.ts", damage.textured_frames(40), g="10")
    whole = damage.luma_by_time(path)
    data = path.read_bytes()
    for share in (0.3, 0.5, 0.7, 0.9):
        path.write_bytes(data[: int(len(data) * share)])
        assert outcome(path, whole, "consecutive").split(":")[0] in ("ok", "damaged", "too_short")
    # A recording may begin between key frames.
    path.write_bytes(data[len(data) // 4 // 188 * 188 :])
    assert outcome(path, whole, "consecutive") == "ok"
