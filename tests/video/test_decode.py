import gc
import re
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from deepfake_tfdata.video.decode import decode_frames
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.frame_sampling import linspace_indices
from tests.fakes import numbered_frames, write_video


def first_to_last(count):
    return linspace_indices(count, 8)


@pytest.mark.parametrize(("codec", "name"), [("libx264", "a.mp4"), ("libx264", "a.mkv"), ("mpeg4", "a.avi")])
def test_gives_exactly_the_chosen_frames(tmp_path, codec, name):
    # B-frames are stored out of order, and the last ones come only when the decoder is flushed.
    path = write_video(tmp_path / name, numbered_frames(50), codec)
    frames = decode_frames(str(path), first_to_last)
    assert [frame.index for frame in frames] == [0, 7, 14, 21, 28, 35, 42, 49]
    levels = [frame.rgb().mean() / 4 for frame in frames]
    np.testing.assert_allclose(levels, [frame.index for frame in frames], atol=0.6)
    np.testing.assert_allclose(
        [f.timestamp for f in frames], np.array([f.index for f in frames]) / 25, atol=1e-3
    )


@pytest.mark.parametrize(
    ("codec", "name", "options"),
    [
        ("libx264", "a.mp4", {"x264-params": "bframes=8:b-pyramid=normal:open-gop=1:keyint=20"}),
        ("libx264", "a.mkv", {"x264-params": "bframes=3:b-pyramid=none"}),
        ("libx264", "a.mp4", {"x264-params": "bframes=0"}),
        ("libx265", "a.mp4", {"x265-params": "bframes=4:log-level=none"}),
        ("mpeg4", "a.mp4", {"bf": "2"}),
        ("libvpx-vp9", "a.webm", {}),
    ],
)
@pytest.mark.parametrize("num_frames", [5, 31, 60])
def test_skipping_what_no_frame_needs_changes_no_pixel(tmp_path, codec, name, options, num_frames):
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (64, 64, 3), np.uint8)
    path = write_video(
        tmp_path / name, [np.roll(picture, 3 * t, axis=1) for t in range(60)], codec, **options
    )
    with av.open(str(path)) as container:
        everything = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(everything) == 60
    for frame in decode_frames(str(path), lambda count: linspace_indices(count, num_frames)):
        np.testing.assert_array_equal(frame.rgb(), everything[frame.index])


@pytest.mark.parametrize("content", [b"", b"no video at all", b"\x00" * 4096])
def test_what_is_no_video_has_a_reason(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError) as error:
        decode_frames(str(path), first_to_last)
    assert error.value.status == "unreadable"


def test_too_short_a_video_is_refused(tmp_path):
    path = write_video(tmp_path / "a.mp4", numbered_frames(7))
    with pytest.raises(VideoError, match="7 frames and a clip needs 8"):
        decode_frames(str(path), first_to_last)


@pytest.mark.parametrize("space", ["ITU601", "ITU709"])
@pytest.mark.parametrize("extent", ["MPEG", "JPEG"])
def test_colours_are_those_that_were_encoded(tmp_path, space, extent):
    red = np.full((64, 64, 3), (200, 60, 30), np.uint8)
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.codec_context.color_range = ColorRange[extent]
        stream.codec_context.colorspace = Colorspace[space]
        for _ in range(8):
            frame = av.VideoFrame.from_ndarray(red, format="rgb24")
            container.mux(
                stream.encode(frame.reformat(format="yuv420p", dst_colorspace=space, dst_color_range=extent))
            )
        container.mux(stream.encode())
    (frame, *_) = decode_frames(str(path), first_to_last)
    np.testing.assert_allclose(frame.rgb()[32, 32], red[0, 0], atol=4)


def test_grey_is_upright_luma(tmp_path):
    frame = np.zeros((64, 96, 3), np.uint8)
    frame[:, :48] = 255
    path = write_video(tmp_path / "a.mp4", [frame] * 8)
    grey = next(iter(decode_frames(str(path), first_to_last))).grey()
    assert grey.shape == (64, 96)
    assert grey[:, :40].mean() > 200 > 40 > grey[:, 56:].mean()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says what a process takes")
def test_frames_leave_no_memory_and_no_threads_behind(tmp_path):
    """Memory and stacks of threads count against what a worker may take."""

    def taken(what: str) -> int:
        return int(re.search(rf"^{what}:\s+(\d+)", Path("/proc/self/status").read_text(), re.M)[1])

    def decode() -> int:
        frames = decode_frames(path, lambda count: np.arange(0, count, 2), lambda frame: frame.grey())
        assert sum(frame.rgb().size for frame in frames) == 20 * 256 * 256 * 3
        return taken("Threads")  # while the frames are held

    path = str(write_video(tmp_path / "a.mp4", numbered_frames(40, 256)))
    before = taken("Threads")
    assert decode() == before
    gc.disable()
    try:
        for _ in range(3):
            decode()
        before = taken("VmRSS")
        for _ in range(10):
            decode()
        assert taken("VmRSS") - before < 10_000  # kB; the frames of one pass are 4,000
    finally:
        gc.enable()
