"""A camera that zooms by three within a clip: eyes and mouth stay within their strips."""

import cv2
import numpy as np
import pytest
import skimage.data

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.process import process_video
from deepfake_tfdata.video.smooth import size_range, smooth_track
from tests.fakes import write_video

SIDE, NUM_FRAMES = 320, 48
# In the photograph: eyes, lips, and a box of the convention around them.
EYES, LIPS, FACE = [(203, 101), (248, 103)], [(223, 145)], np.array([175.0, 73, 273, 171])
CENTRE = np.array([224, 122])
ZOOMS = np.geomspace(0.9, 2.7, NUM_FRAMES)
REGION_LIST = [REGIONS[name] for name in ("full", "eyes", "mouth")]


def in_frame(points, index):
    return (np.asarray(points) - CENTRE) * ZOOMS[index] + SIDE / 2


@pytest.fixture(scope="module")
def zooming(tmp_path_factory):
    """The video and the folder of its boxes."""
    folder = tmp_path_factory.mktemp("zoom")
    photograph = skimage.data.astronaut()
    frames, lines = [], ["frame,left,top,right,bottom"]
    for index, zoom in enumerate(ZOOMS):
        x, y = SIDE / 2 - CENTRE * zoom
        matrix = np.float32([[zoom, 0, x], [0, zoom, y]])
        frames.append(cv2.warpAffine(photograph, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE))
        box = in_frame(FACE.reshape(2, 2), index).ravel()
        lines.append(",".join(map(str, [index, *box])))
    (folder / "original").mkdir()
    (folder / "original" / "000.csv").write_text("\n".join(lines) + "\n")
    path = write_video(folder / "000.mp4", frames)
    return Video(str(path), "000", 0, "original", "000"), str(folder)


def converted(zooming, **options):
    spec = ClipSpec(num_frames=16, frame_size=64, detector="boxes", **options)
    video, boxes = zooming
    processed = process_video(video, spec, REGION_LIST, boxes)
    return processed.faces, {region: clip for region, (clip,) in processed.clips.items()}


def strips_hold_all(clips):
    return all(
        left < x < right and top < y < bottom
        for region, points in {"eyes": EYES, "mouth": LIPS}.items()
        for index, (left, top, right, bottom) in zip(
            clips[region].frame_indices, clips[region].boxes, strict=True
        )
        for x, y in in_frame(points, index)
    )


@pytest.mark.parametrize("sampling", ["linspace", "consecutive"])
def test_the_strips_of_a_zooming_clip_hold_eyes_and_mouth(zooming, sampling):
    faces, clips = converted(zooming, sampling=sampling)
    zoom = ZOOMS[clips["full"].frame_indices]
    assert faces.size_range == pytest.approx(zoom[-1] / zoom[0], rel=0.02)
    assert strips_hold_all(clips)
    for clip in clips.values():
        assert {len(frame) for frame in clip.frames} == {clip.height * clip.width * 3}
        # Of the size that the face has in the middle of the zoom.
        assert clip.width == pytest.approx(98 * np.median(zoom), abs=2)


def test_the_face_has_one_size_in_all_frames_of_a_zooming_clip(zooming):
    _, clips = converted(zooming)
    clip = clips["full"]
    pictures = np.array([np.frombuffer(frame, np.uint8) for frame in clip.frames], float)
    assert np.corrcoef(pictures).min() > 0.95
    _, clips = converted(zooming, max_size_range=100)
    pictures = np.array([np.frombuffer(frame, np.uint8) for frame in clips["full"].frames], float)
    assert np.corrcoef(pictures).min() < 0.8


def test_a_clip_may_keep_one_size_and_its_pixels(zooming):
    faces, clips = converted(zooming, max_size_range=100)
    assert faces.size_range == pytest.approx(3, rel=0.02)
    assert len(np.unique(clips["mouth"].boxes[:, 2:] - clips["mouth"].boxes[:, :2], axis=0)) == 1
    assert not strips_hold_all(clips)


@pytest.mark.parametrize(
    "options", [{"max_side": 48}, {"geometry": "resized", "encoding": "png"}, {"margin": 0.2}]
)
def test_zooming_clips_have_any_stored_form(zooming, options):
    _, clips = converted(zooming, **options)
    clip = clips["full"]
    if "max_side" in options:
        assert (clip.height, clip.width) == (48, 48)
    elif "geometry" in options:
        assert (clip.height, clip.width) == (64, 64)
    assert len(np.unique(clip.boxes[:, 2] - clip.boxes[:, 0])) == 16


def test_noise_of_sizes_is_no_zoom():
    random = np.random.default_rng(0)
    sides = 100 * np.exp(random.normal(0, 0.05, 32))
    sides[[7, 8, 20]] = 160
    boxes = np.stack([np.array([-side, -side, side, side]) / 2 for side in sides]) + 200
    found = np.ones(32, bool)
    assert size_range(boxes, found, 3) < 1.2
    smooth = smooth_track(boxes, found, 3, 1.3)
    assert np.ptp(smooth[:, 2] - smooth[:, 0]) < 1e-3
