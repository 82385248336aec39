import numpy as np
import pytest

from deepfake_tfdata.clips.regions import DEFAULT_REGIONS, REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.errors import NoFaceError
from deepfake_tfdata.video.process import process_video
from tests.fakes import blank_frames, face_frames, photo_to_frame, write_video

REGION_LIST = [REGIONS[name] for name in DEFAULT_REGIONS]
# In the photograph.
EYES, LIPS = [(203, 101), (248, 103)], [(223, 145)]


def video(path):
    return Video(str(path), "000", 0, "original", "000")


def only_clips(processed):
    """The clip of each region where a video gives one."""
    return {region: clip for region, (clip,) in processed.clips.items()}


@pytest.fixture(scope="module")
def face_video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("video") / "face.mp4", face_frames(60))


def test_a_photographed_face_is_found_in_every_frame(face_video):
    clips = only_clips(process_video(video(face_video), ClipSpec(frame_size=96), REGION_LIST))
    assert set(clips) == {"full", "eyes", "mouth"}
    for clip in clips.values():
        assert clip.face_found.all()
        assert len(clip.frames) == 32
        assert clip.frame_indices[[0, -1]].tolist() == [0, 59]
        assert len(np.unique(clip.boxes[:, 2:] - clip.boxes[:, :2], axis=0)) == 1


def test_the_strips_hold_the_eyes_and_the_lips(face_video):
    clips = only_clips(process_video(video(face_video), ClipSpec(frame_size=32), REGION_LIST))
    for region, points in {"eyes": EYES, "mouth": LIPS}.items():
        left, top, right, bottom = clips[region].boxes[0]
        for x, y in photo_to_frame(np.array(points)):
            assert left < x < right
            assert top + 3 < y < bottom - 3, region


def test_both_trackings_give_clips_and_smooth_moves_less(face_video):
    jitter = {}
    for tracking in ("smooth", "per_frame"):
        spec = ClipSpec(frame_size=32, tracking=tracking)
        clip = only_clips(process_video(video(face_video), spec, REGION_LIST[:1]))["full"]
        jitter[tracking] = np.abs(np.diff(clip.boxes, 2, axis=0)).mean()
    assert jitter["smooth"] < jitter["per_frame"]


def test_a_video_without_a_face_is_refused(tmp_path):
    path = write_video(tmp_path / "blank.mp4", blank_frames(40))
    with pytest.raises(NoFaceError):
        process_video(video(path), ClipSpec(), REGION_LIST)
