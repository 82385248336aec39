import numpy as np
import pytest

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.decode import decode_frames
from deepfake_tfdata.video.detectors import load_detector
from deepfake_tfdata.video.search import FaceSearch, find_faces
from deepfake_tfdata.video.smooth import smooth_track
from deepfake_tfdata.video.track import follow_face
from tests.fakes import face_frames, write_video

VIDEO = Video("", "0", 0, "original", "0")


class Scripted:
    """Sees the faces of a script, by frame; looks that are too far from a face see nothing."""

    def __init__(self, script):
        self.script = script
        self.scanned = []

    def __call__(self, video, frame):
        self.scanned.append(frame)
        return self.script[frame]

    def large(self, frame, at_least):
        self.scanned.append(frame)
        faces = self.script[frame]
        return faces[faces[:, 2] - faces[:, 0] >= at_least]

    def near(self, frame, before, after):
        reach = np.stack([before, after])
        low, high = reach[:, :2].min(axis=0) - 10, reach[:, 2:].max(axis=0) + 10
        inside = [(box[:2] >= low).all() and (box[2:] <= high).all() for box in self.script[frame]]
        return self.script[frame][np.array(inside, bool)]


def faces(*lefts, side=50):
    return np.array([[left, 0, left + side, side] for left in lefts], np.float32).reshape(-1, 4)


def test_between_two_scans_it_looks_where_the_faces_are():
    detector = Scripted([faces(3 * t, 300) for t in range(9)])
    found = find_faces(VIDEO, range(9), detector)
    assert detector.scanned == [0, 8]
    for boxes, script in zip(found, detector.script, strict=True):
        np.testing.assert_array_equal(np.sort(boxes, axis=0), script)


@pytest.mark.parametrize(
    ("changed", "what"), [(2, faces(200, 300)), (2, faces(0)), (2, faces())], ids=["away", "one gone", "none"]
)
def test_where_a_face_of_both_scans_is_missing_the_frame_is_scanned(changed, what):
    detector = Scripted([what if t == changed else faces(0, 300) for t in range(9)])
    found = find_faces(VIDEO, range(9), detector)
    assert sorted(detector.scanned) == [0, changed, 8]
    np.testing.assert_array_equal(found[changed], what)


def test_a_newcomer_is_seen_from_the_scan_before_on():
    detector = Scripted([faces(0, 300) if t >= 2 else faces(0) for t in range(5)])
    assert [len(boxes) for boxes in find_faces(VIDEO, range(5), detector)] == [1, 1, 2, 2, 2]


def test_small_faces_beside_a_large_one_are_scanned_for_where_they_are_wanted():
    large_and_small = np.concatenate([faces(0, side=100), faces(300, side=30)])
    for small, seen in ((False, 1), (True, 2)):
        search = FaceSearch(VIDEO, Scripted([large_and_small] * 33), 33, small)
        for frame in range(33):
            search.add(frame)
        assert len(search.found) == 33
        assert len(search.found[20]) == seen


def test_between_scans_without_a_common_face_it_scans_where_the_change_is():
    detector = Scripted([faces(0) if t < 3 else faces(300) for t in range(9)])
    found = find_faces(VIDEO, range(9), detector)
    assert sorted(detector.scanned) == [0, 2, 3, 4, 8]
    for boxes, script in zip(found, detector.script, strict=True):
        np.testing.assert_array_equal(boxes, script)


def small_and_large(large_until):
    """A small face all the time, and one of three times its size in the first frames."""
    small = faces(0, side=30)
    both = np.concatenate([small, faces(300, side=90)])
    return [both if t < large_until else small for t in range(33)]


def test_a_small_face_beside_a_large_one_is_not_searched_for_again():
    detector = Scripted(small_and_large(33))
    found = find_faces(VIDEO, range(33), detector)
    assert detector.scanned == [0, 16, 32]
    assert [len(boxes) for boxes in found] == [2] * 16 + [1] * 17


def test_a_small_face_is_found_where_the_large_one_is_gone():
    found = find_faces(VIDEO, range(33), Scripted(small_and_large(10)))
    for boxes, script in zip(found, small_and_large(10), strict=True):
        np.testing.assert_array_equal(np.sort(boxes, axis=0), np.sort(script, axis=0))


def test_without_any_face_every_frame_is_scanned():
    detector = Scripted([faces()] * 9)
    find_faces(VIDEO, range(9), detector)
    assert sorted(detector.scanned) == list(range(9))


def test_the_cascade_finds_the_same_track_as_by_scanning_every_frame(tmp_path):
    path = write_video(tmp_path / "a.mp4", face_frames(64, 360))
    frames = decode_frames(str(path), lambda count: np.arange(0, count, 2))
    haar = load_detector("haar", "")
    tracks = []
    for detector in (haar, lambda video, frame: haar(video, frame)):
        boxes, found = follow_face(find_faces(VIDEO, frames, detector))
        assert found.all()
        tracks.append(smooth_track(boxes, found, 5))
    # Of a face of some 250 pixels. x264's bytes may differ from run to run, and so what the cascade sees.
    assert np.abs(tracks[0] - tracks[1]).max() < 6
    assert np.median(np.abs(tracks[0] - tracks[1])) < 2
