"""Videos with boxes drawn on them, read back."""

from contextlib import closing
from functools import partial

import av
import numpy as np
import pytest

from deepfake_tfdata.clips.inspected import DrawnFace
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.worker import Worker
from deepfake_tfdata.video.annotate import annotate_video, annotated
from deepfake_tfdata.video.errors import VideoError
from tests.fakes import face_frames, write_video
from tests.video import odd

RED, GREEN = (230, 20, 20), (20, 200, 40)


def drawn(boxes, frames, colour, found=None):
    boxes = np.array(boxes, np.float32)
    found = np.ones(len(boxes), bool) if found is None else np.array(found)
    return DrawnFace(np.array(frames), boxes, found, "face 1: 12", colour)


def read(path):
    with av.open(str(path)) as container:
        return [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def is_colour(picture, x, y, colour):
    """Of some pixel close by: a line is thin, and its colour has half the pixels."""
    near = picture[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].reshape(-1, 3).astype(int)
    return (np.abs(near - colour).max(axis=1) < 60).any()


def test_every_frame_has_the_box_where_the_face_is(tmp_path):
    path = odd.variable_rate(tmp_path / "a.mp4")
    faces = [
        drawn([[20, 40, 80, 100], [0, 0, 0, 0], [100, 40, 160, 100]], [0, 10, 20], RED, [True, False, True]),
        drawn([[110, 110, 170, 170]], [30], GREEN),
        drawn([[0, 0, 9, 9]], [30], GREEN, [False]),
    ]
    annotate_video(str(path), str(tmp_path / "out" / "b.mp4"), faces)
    before, after = read(path), read(tmp_path / "out" / "b.mp4")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["b.mp4"]
    np.testing.assert_allclose([t for t, _ in after], [t for t, _ in before], atol=1e-3)
    pictures = [picture for _, picture in after]
    assert pictures[0].shape == (odd.SIDE, odd.SIDE, 3)
    for frame in (0, 5, 10, 20):
        left = 20 + 4 * frame
        for x, y in ((left, 70), (left + 60, 70), (left + 30, 100)):
            assert is_colour(pictures[frame], x, y, RED), (frame, x, y)
    assert not is_colour(pictures[21], 100, 70, RED) and not is_colour(pictures[29], 110, 140, GREEN)
    assert is_colour(pictures[30], 110, 140, GREEN)
    # What nothing is drawn on is the video's own.
    assert np.abs(pictures[35].astype(int) - before[35][1]).mean() < 3


def test_large_and_turned_videos_are_drawn_upright_and_reduced(tmp_path):
    large = [frame.repeat(8, 0).repeat(11, 1)[:1001] for frame in face_frames(2, 128)]
    path = write_video(
        tmp_path / "a.mp4", [np.rot90(f).copy() for f in large], preset="ultrafast", pix_fmt="yuv444p"
    )
    odd.with_display_matrix(path, 0, 1, -1, 0)
    faces = [drawn([[200, 300, 800, 900]] * 2, [0, 1], RED)]
    with closing(Worker(partial(annotated, str(tmp_path / "b.mp4"), faces))) as worker:
        outcome = worker.process(Video(str(path), "a", 0, "original", "a"))
    assert outcome.status == "ok", outcome.reason
    (_, picture), _ = read(tmp_path / "b.mp4")
    assert picture.shape == (910, 1280, 3)
    scale = 1280 / 1408
    assert is_colour(picture, round(200 * scale), round(600 * scale), RED)


def test_a_broken_video_leaves_no_file(tmp_path):
    path = odd.truncated(odd.face_video(tmp_path / "a.mp4"), 0.5)
    with pytest.raises(VideoError):
        annotate_video(str(path), str(tmp_path / "b.mp4"), [])
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
