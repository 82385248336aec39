import numpy as np
import pytest

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import options_of
from deepfake_tfdata.video.decode import decode_frames
from deepfake_tfdata.video.detectors import DETECTORS, content_hash, load_detector
from deepfake_tfdata.video.detectors.yunet import boxes_of_landmarks
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.options import DetectorOptions
from deepfake_tfdata.video.process import process_video
from tests.fakes import face_frames, photo_to_frame, write_video
from tests.video.tiny_yunet import LANDMARKS, write_tiny_yunet

# In the photograph.
EYES, LIPS = np.array([(203, 101), (248, 103)]), np.array([(204, 142), (240, 144)])


@pytest.fixture(scope="module")
def face_video(tmp_path_factory):
    path = write_video(tmp_path_factory.mktemp("video") / "face.mp4", face_frames(8))
    return Video(str(path), "000", 0, "original", "000")


def frames_of(path, *indices):
    return list(decode_frames(str(path), lambda count: np.array(indices)))


def test_the_spec_knows_every_detector():
    (option,) = (each for each in options_of(ClipSpec) if each.name == "detector")
    assert tuple(DETECTORS) == option.choices


def test_haar_puts_eyes_and_lips_where_the_convention_says(face_video):
    (frame,) = frames_of(face_video.path, 0)
    (box,) = load_detector("haar", "")(face_video, frame)
    heights = [photo_to_frame(points).mean(axis=0)[1] for points in (EYES, LIPS)]
    np.testing.assert_allclose((heights - box[1]) / (box[3] - box[1]), [0.30, 0.74], atol=0.03)


def test_landmarks_and_haar_agree_on_a_face(face_video):
    (frame,) = frames_of(face_video.path, 0)
    nose = np.array([[224, 124]])
    landmarks = photo_to_frame(np.concatenate([EYES, nose, LIPS]))[None]
    haar = load_detector("haar", "")(face_video, frame)
    np.testing.assert_allclose(boxes_of_landmarks(landmarks), haar, atol=8)


def test_a_tilted_face_keeps_its_size():
    upright = np.array([[-10, -8], [10, -8], [0, 0], [-8, 14], [8, 14]], float)
    turned = upright @ np.array([[0, 1], [-1, 0]])
    sides = [np.diff(box[[0, 2]])[0] for box in boxes_of_landmarks(np.stack([upright, turned]))]
    assert sides == pytest.approx([50, 50])


@pytest.mark.parametrize(("size", "scale"), [(64, 1), (1280, 2)])
def test_yunet_reads_a_model_and_scales_back(tmp_path, size, scale):
    # The model sees white cells of 8x8; wide frames are halved before.
    picture = np.zeros((64, size, 3), np.uint8)
    picture[8 * scale : 16 * scale, 24 * scale : 32 * scale] = 255
    path = write_video(tmp_path / "cell.mp4", [picture], crf="0")
    video = Video(str(path), "000", 0, "original", "000")
    detector = load_detector("yunet", str(write_tiny_yunet(tmp_path / "tiny.onnx")))
    (frame,) = frames_of(path, 0)
    corner = np.array([3, 1])
    expected = boxes_of_landmarks((8 * scale * (corner + LANDMARKS))[None])
    np.testing.assert_allclose(detector(video, frame), expected, atol=0.01)
    (black,) = frames_of(write_video(tmp_path / "black.mp4", [picture * 0]), 0)
    assert detector(video, black).shape == (0, 4)


def test_yunet_names_a_file_that_is_missing_or_no_model(tmp_path):
    (tmp_path / "text.onnx").write_text("no model")
    for name, message in (("none.onnx", "none.onnx is no file"), ("text.onnx", "is no YuNet model")):
        with pytest.raises(UserError, match=message):
            load_detector("yunet", str(tmp_path / name))
    with pytest.raises(UserError, match="needs --detector_model"):
        DetectorOptions().path_for("yunet")


def write_boxes(folder, text, name="original/000.csv"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(folder)


def test_boxes_are_read_by_video_and_frame(tmp_path, face_video):
    folder = write_boxes(tmp_path, "frame,left,top,right,bottom\n0,1,2,3,4\n2,10,20,30,40.5\n2,0,0,5,5\n")
    detector = load_detector("boxes", folder)
    found = [detector(face_video, frame).tolist() for frame in frames_of(face_video.path, 0, 1, 2)]
    assert found == [[[1, 2, 3, 4]], [], [[10, 20, 30, 40.5], [0, 0, 5, 5]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1,2,3,4\n", "does not begin with the line frame,left,top,right,bottom"),
        ("frame,left,top,right,bottom\n0,1,2,3\n", "line 2: '0,1,2,3' is no box"),
        ("frame,left,top,right,bottom\n0,9,2,3,4\n", "is no box"),
        ("frame,left,top,right,bottom\n0,1,2,nan,4\n", "is no box"),
        ("frame,left,top,right,bottom\n0,1,2,1e99,4\n", "is no box"),
        ("frame,left,top,right,bottom\n0,-inf,2,3,4\n", "is no box"),
        ("frame,left,top,right,bottom\n0,0,0,900,900\n", "larger than the frame"),
    ],
)
def test_a_damaged_file_of_boxes_costs_its_video_with_a_reason(tmp_path, face_video, text, message):
    detector = load_detector("boxes", write_boxes(tmp_path, text))
    with pytest.raises(VideoError, match=message) as error:
        detector(face_video, frames_of(face_video.path, 0)[0])
    assert error.value.status == "bad_boxes"


def test_a_video_without_a_file_of_boxes_has_its_reason(tmp_path, face_video):
    detector = load_detector("boxes", write_boxes(tmp_path, "", "original/999.csv"))
    with pytest.raises(VideoError) as error:
        detector(face_video, frames_of(face_video.path, 0)[0])
    assert error.value.status == "no_boxes"


def test_the_folder_of_boxes_must_exist_and_have_files(tmp_path):
    with pytest.raises(UserError, match="is no folder"):
        load_detector("boxes", str(tmp_path / "none"))
    with pytest.raises(UserError, match="has no CSV file"):
        load_detector("boxes", str(tmp_path))


def test_a_clip_is_cut_at_the_given_boxes(tmp_path, face_video):
    lines = "".join(f"{i},{40 + i},50,{140 + i},150\n" for i in range(8))
    folder = write_boxes(tmp_path, f"frame,left,top,right,bottom\n{lines}")
    spec = ClipSpec(num_frames=8, frame_size=32, detector="boxes", detector_hash=content_hash(folder))
    (clip,) = process_video(face_video, spec, [REGIONS["full"]], folder).clips["full"]
    # Steady motion passes the smoothing as it is.
    np.testing.assert_array_equal(clip.boxes, [[40 + i, 50, 140 + i, 150] for i in range(8)])


def test_the_hash_is_of_contents_and_of_names_below_the_folder(tmp_path):
    one = write_boxes(tmp_path / "one", "a")
    same = write_boxes(tmp_path / "two", "a")
    assert content_hash(one) == content_hash(same) != content_hash(write_boxes(tmp_path / "three", "b"))
    assert content_hash(one) != content_hash(write_boxes(tmp_path / "four", "a", "original/001.csv"))
    assert content_hash("") == ""
