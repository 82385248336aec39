"""The face that a mask shows is the one that is followed."""

import dataclasses

import cv2
import numpy as np
import pytest

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.process import process_video
from tests.fakes import face_frames, write_video

NUM_FRAMES = 8
SPEC = ClipSpec(num_frames=4)
# left, top, right, bottom: where the smaller of the two faces is, and where there is none.
SMALLER, NOWHERE = (342, 62, 390, 112), (262, 190, 310, 250)


@pytest.fixture(scope="module")
def two_faces(tmp_path_factory):
    """A large face on the left, a smaller one on the right."""
    frames = []
    for face in face_frames(NUM_FRAMES):
        picture = np.full((256, 480, 3), 128, np.uint8)
        picture[:, :256] = face
        picture[20:180, 304:464] = cv2.resize(face, (160, 160), interpolation=cv2.INTER_AREA)
        frames.append(picture)
    return write_video(tmp_path_factory.mktemp("masks") / "000_003.mp4", frames)


def write_mask(path, area, num_frames=NUM_FRAMES, shrink=1, colour=(200, 40, 90)):
    picture = np.zeros((256, 480, 3), np.uint8)
    left, top, right, bottom = area
    picture[top:bottom, left:right] = colour
    return write_video(path, [picture[::shrink, ::shrink]] * num_frames)


def process(video, mask="", spec=SPEC):
    return process_video(
        Video(str(video), "000_003", 1, "Face2Face", "000", "003", mask_path=str(mask)),
        spec,
        [REGIONS["full"]],
    )


def centre(processed):
    (clip,) = processed.clips["full"]
    return (clip.boxes[0, 0] + clip.boxes[0, 2]) / 2


def test_without_a_mask_the_largest_face_is_followed(two_faces):
    processed = process(two_faces)
    assert centre(processed) < 256
    assert processed.faces.mask_overlap is None


@pytest.mark.parametrize("options", [{}, {"num_frames": 3}, {"shrink": 2}])
def test_the_face_in_the_mask_is_followed_also_where_masks_end_early(two_faces, tmp_path, options):
    processed = process(two_faces, write_mask(tmp_path / "mask.mp4", SMALLER, **options))
    assert 342 < centre(processed) < 390
    assert processed.faces.mask_overlap > 0.8


def test_a_face_that_has_nothing_of_the_mask_is_refused(two_faces, tmp_path):
    with pytest.raises(VideoError) as caught:
        process(two_faces, write_mask(tmp_path / "mask.mp4", NOWHERE))
    assert caught.value.status == "wrong_face"
    assert caught.value.reason.startswith("0% of the manipulated area lie in the face that was followed")
    assert caught.value.faces.mask_overlap == 0


def test_a_mask_that_shows_or_is_nothing_says_nothing(two_faces, tmp_path):
    (tmp_path / "damaged.mp4").write_bytes(b"no video")
    black = write_mask(tmp_path / "black.mp4", SMALLER, colour=(30, 30, 30))
    for mask in (black, tmp_path / "damaged.mp4"):
        processed = process(two_faces, mask)
        assert processed.faces.mask_overlap is None
        assert centre(processed) < 256


def test_a_shared_track_follows_the_mask_of_the_fake(two_faces, tmp_path):
    video = Video(
        path=str(two_faces),
        video_id="000_003",
        label=1,
        manipulation="Face2Face",
        target_id="000",
        original=Video(str(two_faces), "000", 0, "original", "000"),
        mask_path=str(write_mask(tmp_path / "mask.mp4", SMALLER)),
    )
    spec = dataclasses.replace(SPEC, share_tracks=True)
    processed = process_video(video, spec, [REGIONS["full"]])
    assert processed.faces.track == "shared"
    assert 342 < centre(processed) < 390
