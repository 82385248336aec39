"""Pictures are cut as they are shown: turned, mirrored, with square pixels; and only videos are opened."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.decode import decode_frames
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.process import process_video
from tests.fakes import face_frames, write_video
from tests.video import odd

# a, b, c, d: a pixel at (x, y) is shown at (ax + cy, bx + dy).
ORIENTATIONS = {
    "as stored": (1, 0, 0, 1),
    "quarter turn": (0, 1, -1, 0),
    "half turn": (-1, 0, 0, -1),
    "three quarter turns": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "upside down": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "transposed the other way": (0, -1, -1, 0),
}


def shown(image, a, b, c, d):
    """Pixel by pixel, by the definition of the matrix."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width]
    columns, rows = a * x + c * y, b * x + d * y
    columns, rows = columns - columns.min(), rows - rows.min()
    result = np.zeros((rows.max() + 1, columns.max() + 1, *image.shape[2:]), image.dtype)
    result[rows, columns] = image
    return result


def first_frame(path):
    return next(iter(decode_frames(str(path), np.arange)))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_orientation_is_cut_as_it_is_shown(tmp_path, orientation):
    matrix = ORIENTATIONS[orientation]
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[4:20, 8:24], picture[4:20, 60:90], picture[40:60, 10:30] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    path = write_video(tmp_path / "a.mp4", [picture] * 2)
    stored = first_frame(path)
    turned = first_frame(odd.with_display_matrix(path, *matrix))
    np.testing.assert_array_equal(turned.rgb(), shown(stored.rgb(), *matrix))
    a, b, c, d = matrix
    mirrored = stored.rgb()[:, ::-1] if a * d < b * c else stored.rgb()
    np.testing.assert_array_equal(np.rot90(mirrored, -turned.rotation // 90), turned.rgb())
    np.testing.assert_array_equal(turned.grey(), shown(stored.grey(), *matrix))


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(3, 4)])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le"])
def test_pixels_are_made_square(tmp_path, aspect, pix_fmt):
    # Sides that swscale's 10-bit conversion, of the encoder, is exact for.
    disc = np.zeros((256, 256, 3), np.uint8)
    cv2.circle(disc, (120, 110), 60, (255, 255, 255), -1)
    path = odd.with_pixel_aspect(tmp_path / "a.mp4", [disc] * 2, aspect, pix_fmt)
    frame = first_frame(path)
    for image in (frame.rgb()[..., 1], frame.grey()):
        assert image.shape == (256, 256)
        rows, columns = np.nonzero(image > 127)
        assert [np.ptp(rows), np.ptp(columns)] == pytest.approx([120, 120], abs=2)
        assert [rows.mean(), columns.mean()] == pytest.approx([110, 120], abs=1)


def test_boxes_are_of_the_frame_of_square_pixels(tmp_path):
    faces = face_frames(8, 192)
    square = write_video(tmp_path / "square.mp4", faces)
    squeezed = odd.with_pixel_aspect(tmp_path / "squeezed.mp4", faces, Fraction(4, 3))
    with av.open(str(squeezed)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (144, 192)
    clips = [
        process_video(
            Video(str(path), "0", 0, "original", "0"), ClipSpec(num_frames=8), [REGIONS["full"]]
        ).clips["full"][0]
        for path in (square, squeezed)
    ]
    np.testing.assert_allclose(clips[0].boxes, clips[1].boxes, atol=4)


@pytest.mark.parametrize("aspect", [Fraction(1, 100), Fraction(99, 1)])
def test_a_header_with_absurd_pixels_is_not_believed(tmp_path, aspect):
    path = odd.with_pixel_aspect(tmp_path / "a.mp4", face_frames(2, 64), Fraction(4, 3))
    assert first_frame(odd.claimed_pixel_aspect(path, aspect)).grey().shape == (64, 48)


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile sibling.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsibling.mp4\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_list_of_other_files_is_no_video(tmp_path, text):
    write_video(tmp_path / "sibling.mp4", face_frames(8, 64))
    (tmp_path / "a.mp4").write_text(text)
    with pytest.raises(VideoError, match=r"no video") as error:
        first_frame(tmp_path / "a.mp4")
    assert error.value.status == "unreadable"


def test_a_picture_is_no_video(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), face_frames(1, 64)[0])
    (tmp_path / "a.png").rename(tmp_path / "a.mp4")
    with pytest.raises(VideoError, match="no video, whatever its name says: a picture, or a list of other"):
        first_frame(tmp_path / "a.mp4")
