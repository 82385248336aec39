import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from deepfake_tfdata.clips.regions import DEFAULT_REGIONS, REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.errors import FewFacesError, NoFaceError
from deepfake_tfdata.video.faces import sample_video
from deepfake_tfdata.video.process import process_video
from deepfake_tfdata.video.smooth import centre_jitter
from tests.fakes import YUNET_MODEL, blank_frames, face_frames, numbered_frames, photo_to_frame, write_video
from tools.measure_regions.photos import Pose, annotated_photos, place, show

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


def test_both_trackings_give_clips_and_the_ledger_measures_both(face_video):
    for tracking in ("smooth", "per_frame"):
        processed = process_video(
            video(face_video), ClipSpec(frame_size=32, tracking=tracking, geometry="resized"), REGION_LIST[:1]
        )
        faces, (clip,) = processed.faces, processed.clips["full"]
        jitter = np.median(centre_jitter(clip.boxes, clip.face_found))
        # A crop lies on whole pixels.
        assert jitter == pytest.approx(getattr(faces, f"jitter_{tracking}_px"), abs=1)
        assert faces.jitter_smooth < faces.jitter_per_frame
        assert (faces.frames_found, faces.track) == (32, "own")


def test_control_strips_are_as_large_as_the_mouth_and_hold_neither_eyes_nor_lips(face_video):
    regions = [REGIONS[name] for name in ("mouth", "nose", "forehead")]
    clips = only_clips(process_video(video(face_video), ClipSpec(frame_size=32), regions))
    sizes = [clip.boxes[0, 2:] - clip.boxes[0, :2] for clip in clips.values()]
    np.testing.assert_allclose(sizes, np.broadcast_to(sizes[0], (3, 2)), atol=1)
    for name in ("nose", "forehead"):
        _, top, _, bottom = clips[name].boxes[0]
        for _, y in photo_to_frame(np.array(EYES + LIPS)):
            assert not top <= y <= bottom, name


@pytest.mark.parametrize("detector", ["haar", "yunet"])
def test_squares_hold_the_eyes_the_lips_and_neither(tmp_path, detector):
    model = str(YUNET_MODEL) if detector == "yunet" else ""
    names = ("eyes_square", "mouth_square", "cheek_square")
    for photo in annotated_photos():
        pose = Pose(140, 200, 180)
        path = write_video(tmp_path / f"{photo.name}.mp4", [show(photo, pose, 400, 360)] * 2)
        spec = ClipSpec(num_frames=2, detector=detector)
        clips = only_clips(process_video(video(path), spec, [REGIONS[name] for name in names], model))
        eyes, cheek_free = place(photo, photo.eyes, pose), []
        lips = place(photo, photo.lips, pose)
        for name, points in (("eyes_square", eyes.reshape(-1, 2)), ("mouth_square", lips)):
            box = clips[name].boxes[0]
            assert (points >= box[:2]).all() and (points <= box[2:]).all(), (photo.name, name)
        cheek = clips["cheek_square"].boxes[0]
        for part in (*eyes, lips):
            cheek_free.append((part.max(axis=0) < cheek[:2]).any() or (part.min(axis=0) > cheek[2:]).any())
        assert all(cheek_free), photo.name
        assert all(clip.width == clip.height for clip in clips.values())


def test_a_region_depends_on_no_other(face_video):
    spec = ClipSpec(frame_size=32)
    mouth = process_video(video(face_video), spec, [REGIONS["mouth"]]).clips["mouth"][0]
    assert only_clips(process_video(video(face_video), spec, REGION_LIST))["mouth"].frames == mouth.frames


def test_a_letterboxed_strip_keeps_its_shape(face_video):
    spec = ClipSpec(frame_size=64, geometry="resized", encoding="png", fit="letterbox")
    clips = only_clips(process_video(video(face_video), spec, REGION_LIST))
    mouth = np.asarray(Image.open(io.BytesIO(clips["mouth"].frames[0])))
    assert mouth.shape == (64, 64, 3)
    assert (mouth[:20] == 128).all() and (mouth[-20:] == 128).all()
    assert mouth[24:40].std() > 10
    full = np.asarray(Image.open(io.BytesIO(clips["full"].frames[0])))
    assert full[[0, -1]].std() > 5


CONSECUTIVE = ClipSpec(num_frames=8, frame_size=32, sampling="consecutive", clips_per_video=3)


def test_consecutive_clips_are_adjacent_frames_all_over_the_video(face_video):
    processed = process_video(video(face_video), CONSECUTIVE, REGION_LIST)
    assert processed.num_clips == 3
    for clips in processed.clips.values():
        assert [clip.clip_id for clip in clips] == [f"original/000#{number}" for number in range(3)]
        assert [clip.frame_indices.tolist() for clip in clips] == [
            list(range(start, start + 8)) for start in (6, 26, 46)
        ]
        for clip in clips:
            np.testing.assert_allclose(clip.timestamps, clip.frame_indices / 25, atol=1e-3)
            assert len(clip.frames) == 8
            assert len(np.unique(clip.boxes[:, 2:] - clip.boxes[:, :2], axis=0)) == 1


@pytest.mark.parametrize("name", ["numbers.mp4", "numbers.mkv"])
def test_consecutive_frames_are_exactly_those_frames(tmp_path, name):
    # Matroska knows no number of frames.
    path = write_video(tmp_path / name, numbered_frames(60))
    frames = list(sample_video(str(path), CONSECUTIVE).frames)
    assert [frame.index for frame in frames] == [*range(6, 14), *range(26, 34), *range(46, 54)]
    np.testing.assert_allclose([f.rgb().mean() / 4 for f in frames], [f.index for f in frames], atol=0.6)


@pytest.fixture(scope="module")
def seldom_video(tmp_path_factory):
    """A face in the first third of the frames only."""
    frames = face_frames(20) + blank_frames(40)
    return write_video(tmp_path_factory.mktemp("video") / "seldom.mp4", frames)


def test_a_face_in_few_frames_is_refused_with_the_count(seldom_video):
    spec = ClipSpec(num_frames=12, frame_size=32, shots="ignore")
    with pytest.raises(FewFacesError, match="found in 4 of 12 sampled frames") as error:
        process_video(video(seldom_video), spec, REGION_LIST)
    assert error.value.status == "few_faces"
    assert error.value.faces.frames_found == 4
    processed = process_video(video(seldom_video), dataclasses.replace(spec, min_found=0.3), REGION_LIST)
    clip = only_clips(processed)["full"]
    assert clip.face_found.tolist() == [True] * 4 + [False] * 8
    # The gap is filled with the last place of the face.
    assert (clip.boxes[4:] == clip.boxes[4]).all()


def test_only_the_clips_with_a_face_are_kept(seldom_video):
    spec = dataclasses.replace(CONSECUTIVE, shots="ignore")
    processed = process_video(video(seldom_video), spec, REGION_LIST)
    assert [clip.clip_id for clip in processed.clips["mouth"]] == ["original/000#0"]
    assert processed.faces.frames_found == 8


def test_a_video_without_a_face_is_refused(tmp_path):
    path = write_video(tmp_path / "blank.mp4", blank_frames(40))
    with pytest.raises(NoFaceError):
        process_video(video(path), ClipSpec(), REGION_LIST)
