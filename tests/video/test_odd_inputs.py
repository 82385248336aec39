"""Every odd or broken file is converted, or accounted for with a reason that a person understands."""

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from deepfake_tfdata.clips.limits import MAX_FRAMES_IN_VIDEO
from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.worker_pool import process_in_order
from deepfake_tfdata.video import decode
from deepfake_tfdata.video.decode import decode_frames
from deepfake_tfdata.video.process import process_video
from tests.fakes import blank_frames, face_frames, write_video
from tests.video import odd

SPEC = ClipSpec(num_frames=8, frame_size=32)
# With frames that are stored and never shown.
FAST_VPX = {"cpu-used": "8", "auto-alt-ref": "1", "lag-in-frames": "16"}
CONVERTED = {
    "90 degrees.mp4": partial(odd.rotated, degrees=90),
    "180 degrees.mp4": partial(odd.rotated, degrees=180),
    "270 degrees.mp4": partial(odd.rotated, degrees=270),
    "odd size.avi": lambda path: write_video(path, odd_sized(), "mpeg4"),
    "odd size.mp4": lambda path: write_video(path, odd_sized(), pix_fmt="yuv444p"),
    "variable rate.mkv": odd.variable_rate,
    "variable rate.mp4": odd.variable_rate,
    "times repeat.mkv": lambda path: odd.timed(path, [0] * 10 + [40 * i for i in range(30)]),
    "no times.h264": odd.face_video,
    "10 bit.mp4": partial(odd.face_video, pix_fmt="yuv420p10le"),
    "422.mp4": partial(odd.face_video, pix_fmt="yuv422p"),
    "444.mp4": partial(odd.face_video, pix_fmt="yuv444p"),
    "hevc.mp4": partial(odd.face_video, codec="libx265"),
    "vp9 hidden frames.webm": partial(odd.face_video, codec="libvpx-vp9", **FAST_VPX),
    "vp8 hidden frames.webm": partial(odd.face_video, codec="libvpx", **FAST_VPX),
    "mpeg4.avi": partial(odd.face_video, codec="mpeg4"),
    "broadcast.ts": odd.face_video,
    "cover picture.mp4": odd.with_cover_picture,
    "two videos.mp4": odd.with_two_videos,
    "edit list.mp4": lambda path: odd.cut_by_edit_list(odd.face_video(path), 10),
    "header says 9999.avi": partial(odd.wrong_header_count, claimed=9999),
    "header says 3.avi": partial(odd.wrong_header_count, claimed=3),
    "4K.mp4": lambda path: write_video(path, four_k(), "mpeg4"),
    "face in most frames.mp4": lambda path: write_video(path, face_frames(30) + blank_frames(8)),
    "two faces crossing.mp4": lambda path: write_video(path, crossing()),
    "a name with spaces, ü 影片 видео.mp4": odd.face_video,
    "http:colon.mp4": odd.face_video,
}
REFUSED = {
    "zero bytes.mp4": (Path.touch, "unreadable", "the file is empty"),
    "half, index at the end.mp4": (
        lambda path: odd.truncated(odd.face_video(path), 0.5),
        "unreadable",
        "no video can be recognised in it: .*truncated",
    ),
    "half, index in front.mp4": (
        lambda path: odd.truncated(odd.streamable(path), 0.4),
        "damaged",
        "[0-9]+ of 40 frames are damaged or missing",
    ),
    "header only.mp4": (odd.header_only, "unreadable", "no frame could be decoded: .*truncated"),
    "audio only.mp4": (odd.audio_only, "unreadable", "no video stream, only sound"),
    "one frame.mp4": (partial(odd.face_video, num_frames=1), "too_short", "has 1 frames? and a clip needs 8"),
    "text.mp4": (lambda path: path.write_text("a letter"), "unreadable", "no video can be recognised in it"),
    "folder.mp4": (Path.mkdir, "unreadable", "a folder without images"),
    "pipe.mp4": (os.mkfifo, "unreadable", "a folder or a device"),
    "loop.mp4": (lambda path: path.symlink_to(path), "unreadable", "Too many levels of symbolic links"),
    "gone.mp4": (lambda path: path.symlink_to("nowhere"), "unreadable", "No such file"),
    "no face.mp4": (lambda path: write_video(path, blank_frames(20)), "no_face", "no face was found"),
    "face in a few frames.mp4": (
        lambda path: write_video(path, covered()),
        "few_faces",
        "found in [23] of 8",
    ),
    "size changes.h264": (odd.changing_size, "unreadable", "changes size from 192x192 to 128x128"),
    "zeros in the middle.mkv": (
        lambda path: damaged(odd.face_video(path)),
        "damaged",
        "[0-9]+ of 40 frames are damaged or missing .first at [0-9.]+ s",
    ),
    "playlist.mp4": (
        lambda path: path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"),
        "unreadable",
        "no video can be recognised in it|no frame|can't be read",
    ),
    "forged index.mp4": (partial(odd.forged_index, num_frames=200_000_000), "unreadable|too_large", "."),
    "header of 30000x30000.avi": (
        lambda path: odd.claimed_size(path, 30_000),
        "unreadable|too_large",
        "above the limit of 35,389,440 pixels|no frame could be decoded",
    ),
    "huge frames.avi": (odd.huge_frames, "unreadable", "above the limit of 35,389,440 pixels"),
    "huge frames.mp4": (
        partial(odd.huge_frames, codec="libx264", preset="ultrafast"),
        "too_large",
        "16384x2176 are above the limit of 35,389,440 pixels",
    ),
    "too many frames.avi": (
        partial(odd.many_frames, count=MAX_FRAMES_IN_VIDEO + 1),
        "too_large",
        "more than 500,000 frames",
    ),
}


def odd_sized() -> list[np.ndarray]:
    return [frame[:241, :321] for frame in face_frames(20, 330)]


def four_k() -> list[np.ndarray]:
    return [frame[:360].repeat(6, 0).repeat(6, 1) for frame in face_frames(8, 640)]


def covered() -> list[np.ndarray]:
    """Something slides over the face and stays."""
    frames = face_frames(40, 192)
    for time, frame in enumerate(frames):
        frame[:, : max(0, 20 * (time - 8))] = 128
    return frames


def crossing() -> list[np.ndarray]:
    frames = []
    for time, face in enumerate(face_frames(40, 192)):
        frame = np.full((192, 480, 3), 128, np.uint8)
        for left in (6 * time, 240 - 6 * time):
            frame[:, left : left + 192] = face
        frames.append(frame)
    return frames


def damaged(path: Path) -> Path:
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What two workers make of every file."""
    folder = tmp_path_factory.mktemp("odd")
    makers = CONVERTED | {name: make for name, (make, _, _) in REFUSED.items()}
    for name, make in makers.items():
        make(folder / name)
    videos = [Video(str(folder / name), name, 0, "original", name) for name in makers]
    work = partial(process_video, spec=SPEC, regions=list(REGIONS.values())[:1])
    return {video.video_id: outcome for video, outcome in process_in_order(videos, work, 2)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CONVERTED)
def test_is_converted(outcomes, name):
    outcome = outcomes[name]
    assert outcome.status == "ok", outcome.reason
    (clip,) = outcome.processed.clips["full"]
    assert len(clip.frames) == 8
    assert clip.face_found.sum() >= 6


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_is_accounted_for(outcomes, name):
    _, status, reason = REFUSED[name]
    assert outcomes[name].status in status.split("|"), outcomes[name]
    assert re.search(reason, outcomes[name].reason), outcomes[name].reason
    assert outcomes[name].seconds < 30


@pytest.mark.slow
def test_turned_videos_are_cut_upright(outcomes, tmp_path):
    straight = boxes_of(tmp_path / "straight.mp4", odd.face_video)
    for degrees in (90, 180, 270):
        (clip,) = outcomes[f"{degrees} degrees.mp4"].processed.clips["full"]
        np.testing.assert_allclose(clip.boxes, straight, atol=3)


def boxes_of(path, make):
    make(path)
    (clip,) = process_video(Video(str(path), "0", 0, "original", "0"), SPEC, [REGIONS["full"]]).clips["full"]
    return clip.boxes


def test_an_edit_list_leaves_the_first_frames_out(tmp_path):
    path = odd.face_video(tmp_path / "a.mp4")
    whole = every_frame(path)
    cut = every_frame(odd.cut_by_edit_list(path, 10))
    assert len(cut) == 30
    for a, b in zip(cut.values(), list(whole.values())[10:], strict=True):
        np.testing.assert_array_equal(a, b)


def every_frame(path):
    """By timestamp."""
    return {frame.timestamp: frame.rgb() for frame in decode_frames(str(path), np.arange)}


def test_frames_that_do_not_fit_in_memory_are_the_same_frames(tmp_path, monkeypatch):
    path = odd.face_video(tmp_path / "a.mp4")
    held = decode_frames(str(path), lambda count: np.arange(0, count, 7))
    monkeypatch.setattr(decode, "MAX_HELD_BYTES", 1000)
    again = decode_frames(str(path), lambda count: np.arange(0, count, 7))
    for _ in range(2):
        for a, b in zip(held, again, strict=True):
            assert (a.index, a.timestamp) == (b.index, b.timestamp)
            np.testing.assert_array_equal(a.rgb(), b.rgb())


def test_a_file_that_may_not_be_read_has_its_reason(tmp_path):
    path = odd.face_video(tmp_path / "a.mp4")
    path.chmod(0)
    code = """
import os, sys
from deepfake_tfdata.video.decode import decode_frames
if os.getuid() == 0:
    os.setuid(65534)  # root may read everything
try:
    decode_frames(sys.argv[1], range)
except Exception as error:
    print(error.status, error.reason)
"""
    result = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert result.stdout == "unreadable it can't be read: Permission denied\n", result.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_a_worker_stays_under_400_mb_at_1080p(tmp_path):
    frames = [frame[:1080].repeat(2, 0).repeat(2, 1)[:1080, :1920] for frame in face_frames(40, 960)]
    path = write_video(tmp_path / "a.mp4", frames, preset="ultrafast", refs="4", bf="3")
    code = """
import re, sys
from pathlib import Path
from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.process import process_video
process_video(Video(sys.argv[1], "0", 0, "original", "0"), ClipSpec(), list(REGIONS.values()))
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""
    result = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert int(result.stdout) < 400_000
