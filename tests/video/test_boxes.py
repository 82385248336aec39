"""Boxes computed elsewhere must lie in their frame."""

import numpy as np
import pytest

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.decode import decode_frames
from deepfake_tfdata.video.detectors import load_detector
from deepfake_tfdata.video.errors import VideoError
from tests.fakes import blank_frames, write_video


@pytest.fixture
def detect(tmp_path):
    """The boxes that a file of one line gives for a frame of 96 x 96."""
    path = write_video(tmp_path / "a.mp4", blank_frames(2, 96))

    def run(line):
        (tmp_path / "boxes" / "original").mkdir(parents=True)
        (tmp_path / "boxes" / "original" / "000.csv").write_text(f"frame,left,top,right,bottom\n{line}\n")
        (frame, _) = decode_frames(str(path), np.arange)
        video = Video(str(path), "000", 0, "original", "000")
        return load_detector("boxes", str(tmp_path / "boxes"))(video, frame)

    return run


@pytest.mark.parametrize(
    ("box", "fault"),
    [
        ("100,10,140,50", "outside"),
        ("-40,10,0,50", "outside"),
        ("10,200,50,240", "outside"),
        ("10,-25,50,15", "mostly outside"),
        ("84,10,124,50", "mostly outside"),
        ("70,70,110,110", "mostly outside"),
        ("0,0,97,97", "larger than"),
    ],
)
def test_a_box_outside_the_frame_is_refused(detect, box, fault):
    with pytest.raises(VideoError) as error:
        detect(f"0,{box}")
    assert error.value.status == "bad_boxes"
    assert f"000.csv: the box {box} of frame 0 is {fault} the frame of 96x96" in error.value.reason


@pytest.mark.parametrize("box", [(-15, 10, 25, 50), (70, 50, 110, 90), (0, 0, 96, 96), (10, 70, 50, 105)])
def test_a_face_may_be_cut_by_the_edge(detect, box):
    assert detect("0," + ",".join(map(str, box))).tolist() == [list(box)]
