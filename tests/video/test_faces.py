"""The face of real videos: followed through crossings and gaps, measured, and shared with the original."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video, with_originals
from deepfake_tfdata.clips.video_selection import SelectionOptions, select_videos
from deepfake_tfdata.video.detectors import load_detector
from deepfake_tfdata.video.faces import face_statistics, follow_faces
from deepfake_tfdata.video.header import read_header
from tests.fakes import blank_frames, face_frames, write_video

HAAR = load_detector("haar", "")


def video_of(path, label=0, original=None):
    name = "000_003" if label else "000"
    manipulation = "Face2Face" if label else "original"
    return Video(str(path), name, label, manipulation, "000", "003" if label else "", original=original)


def tracks_of(video, spec, detector=HAAR):
    followed = follow_faces(video, spec, detector)
    return followed.tracks, followed.whose


def crossing_frames(num_frames):
    """A face walks to the right while a smaller one, in front of it, walks to the left."""
    photo = skimage.data.astronaut()
    large = photo[:230, 120:330]
    small = cv2.resize(large[:, ::-1], None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    frames = []
    for time in range(num_frames):
        frame = np.full((260, 640, 3), 190, np.uint8)
        progress = time / (num_frames - 1)
        for face, left in ((large, 10 + 400 * progress), (small, 470 - 460 * progress)):
            left = round(left)
            frame[20 : 20 + face.shape[0], left : left + face.shape[1]] = face
        frames.append(frame)
    return frames


def test_two_faces_that_cross_are_not_confused(tmp_path):
    path = write_video(tmp_path / "crossing.mp4", crossing_frames(60))
    (track,), whose = tracks_of(video_of(path), ClipSpec(num_frames=30))
    assert whose == "own"
    assert track.found[[0, -1]].all() and track.found.mean() > 0.6
    # The larger face is at 104 pixels of its picture.
    where = 10 + 400 * np.linspace(0, 1, 30) + 104
    centres = (track.boxes[:, 0] + track.boxes[:, 2]) / 2
    np.testing.assert_allclose(centres[track.found], where[track.found], atol=15)
    np.testing.assert_allclose((track.smooth[:, 0] + track.smooth[:, 2]) / 2, where, atol=25)


def noisy(video, frame):
    """The boxes of the cascade with an error of its own in every frame: a pixel in each coordinate."""
    noise = np.random.default_rng(frame.index).normal(0, 1, 2)
    return HAAR(video, frame) + np.tile(noise, 2)


def test_the_jitter_of_a_still_face_is_measured_and_smoothed(tmp_path):
    path = write_video(tmp_path / "still.mp4", face_frames(1) * 64)
    followed = follow_faces(video_of(path), ClipSpec(num_frames=32), noisy)
    faces, tracks = face_statistics(followed), followed.tracks
    # Second differences of noise of a pixel: a Rayleigh median of 1.18 times the square root of 6.
    assert faces.jitter_per_frame_px == pytest.approx(1.18 * 6**0.5, rel=0.35)
    assert faces.jitter_smooth_px < faces.jitter_per_frame_px / 5
    assert faces.jitter_per_frame == pytest.approx(faces.jitter_per_frame_px / faces.face_size, rel=1e-2)
    assert 65 < faces.face_size < 80
    assert faces.frames_found == 32
    assert faces.bits_a_pixel == pytest.approx(read_header(path).bits_a_pixel, abs=1e-5)
    assert faces.frame_seconds == pytest.approx(2 / 25, abs=1e-4)  # every other of 64 frames, nearly
    still = np.median(tracks[0].boxes, axis=0)
    raw, smooth = (np.sqrt(np.mean((boxes - still) ** 2)) for boxes in (tracks[0].boxes, tracks[0].smooth))
    assert smooth < raw / 2


def test_steady_motion_is_no_jitter(tmp_path):
    path = write_video(tmp_path / "still.mp4", face_frames(1) * 32)

    def moving(video, frame):
        return HAAR(video, frame) + 2 * frame.index

    faces = face_statistics(follow_faces(video_of(path), ClipSpec(num_frames=32), moving))
    assert faces.jitter_per_frame_px < 0.1
    assert faces.jitter_smooth_px < 0.1


@pytest.mark.parametrize("num_frames", [1, 2, 3])
def test_the_shortest_clips_have_a_track(tmp_path, num_frames):
    path = write_video(tmp_path / "short.mp4", face_frames(num_frames))
    followed = follow_faces(video_of(path), ClipSpec(num_frames=num_frames), HAAR)
    faces, tracks = face_statistics(followed), followed.tracks
    assert tracks[0].smooth.shape == (num_frames, 4)
    assert faces.frames_found == num_frames
    assert (faces.jitter_smooth_px is None) == (num_frames < 3)
    assert (faces.frame_seconds is None) == (num_frames < 2)


SHARED = ClipSpec(num_frames=8, share_tracks=True)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return video_of(write_video(tmp_path_factory.mktemp("original") / "000.mp4", face_frames(24)))


def test_a_fake_takes_the_track_of_its_original(tmp_path, original):
    # Nobody could find a face in this fake.
    fake = video_of(write_video(tmp_path / "fake.mp4", blank_frames(24)), 1, original)
    (shared,), whose = tracks_of(fake, SHARED)
    (own,), _ = tracks_of(original, SHARED)
    assert whose == "shared"
    np.testing.assert_array_equal(shared.smooth, own.smooth)
    (track,), whose = tracks_of(fake, dataclasses.replace(SHARED, share_tracks=False))
    assert (whose, track.found.any()) == ("own", False)


def other_videos(folder):
    """Fakes that can't share, and why."""
    yield "size differs", write_video(folder / "size.mp4", face_frames(24, size=320))
    yield "length differs", write_video(folder / "length.mp4", face_frames(23))
    yield "frame rate differs", write_video(folder / "rate.mp4", face_frames(24), rate=30)


def test_the_ledger_learns_why_a_track_is_not_shared(tmp_path, original):
    for reason, path in other_videos(tmp_path):
        (track,), whose = tracks_of(video_of(path, 1, original), SHARED)
        assert whose == f"own: {reason}"
        assert track.found.all()


@pytest.mark.parametrize(
    ("frames", "reason"), [(None, "the original is unreadable"), (24, "too few faces in the original")]
)
def test_an_original_that_is_of_no_use_is_named(tmp_path, frames, reason):
    path = tmp_path / "000.mp4"
    path.touch() if frames is None else write_video(path, blank_frames(frames))
    fake = video_of(write_video(tmp_path / "fake.mp4", face_frames(24)), 1, video_of(path))
    assert tracks_of(fake, SHARED)[1] == f"own: {reason}"
    assert tracks_of(dataclasses.replace(fake, original=None), SHARED)[1] == "own: its original is not there"


@pytest.mark.parametrize(
    ("layout", "original", "fake"),
    [
        (
            "ffpp",
            "original_sequences/youtube/c23/videos/000",
            "manipulated_sequences/Face2Face/c23/videos/000_003",
        ),
        (
            "ffpp",
            "original_sequences/actors/c23/videos/01__hugging_happy",
            "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__hugging_happy__YVGY8LOK",
        ),
        ("celebdf", "Celeb-real/id0_0002", "Celeb-synthesis/id0_id1_0002"),
    ],
)
def test_originals_are_found_by_name(tmp_path, layout, original, fake):
    decoy = original.replace("000", "001").replace("happy", "angry")
    for name in (original, fake, decoy):
        (tmp_path / f"{name}.mp4").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.mp4").touch()
    videos = with_originals(select_videos(tmp_path, SelectionOptions(layout=layout)).videos)
    found = {video.video_id: video.original.video_id for video in videos if video.original}
    assert found == {Path(fake).name: Path(original).name}
    alone = [video for video in videos if video.label]
    assert with_originals(alone)[0].original is None
