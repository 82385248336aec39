"""Videos kept as folders of images."""

import struct
import zlib

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video import image_folder
from deepfake_tfdata.video.decode import decode_frames
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.process import process_video
from tests.fakes import face_frames

GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOUR = np.stack([GREY, GREY[::-1], GREY.T], axis=-1)


def write_images(folder, numbers, frames, name="{:03d}.png"):
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in zip(numbers, frames, strict=True):
        Image.fromarray(frame).save(folder / name.format(number))
    return folder


def read(folder, choose=np.arange):
    return decode_frames(str(folder), choose)


def failure(folder):
    with pytest.raises(VideoError) as caught:
        read(folder)
    return caught.value.status, caught.value.reason


@pytest.mark.parametrize("name", ["{:03d}.png", "frame_{}.PNG", "v2_{}.webp", "{}.bmp"])
def test_images_come_in_the_order_of_their_numbers_with_their_gaps(tmp_path, name):
    numbers = [0, 9, 18, 100]
    frames = [np.full((16, 16, 3), number, np.uint8) for number in numbers]
    options = {"lossless": True} if name.endswith("webp") else {}
    for number, frame in zip(numbers, frames, strict=True):
        Image.fromarray(frame).save(tmp_path / name.format(number), **options)
    found = read(tmp_path, lambda count: np.array([0, 2, count - 1]))
    assert found.indices.tolist() == [0, 18, 100]
    assert found.timestamps.tolist() == [0, 18 / 25, 4]
    for _ in range(2):
        assert [(frame.index, frame.rgb()[5, 5].tolist()) for frame in found] == [
            (number, [number] * 3) for number in (0, 18, 100)
        ]
    assert next(iter(found)).grey().shape == (16, 16)


def test_what_does_not_fit_in_memory_is_read_again(tmp_path, monkeypatch):
    write_images(tmp_path, range(4), [COLOUR] * 4)
    monkeypatch.setattr(image_folder, "MAX_HELD_BYTES", 100)
    found = read(tmp_path, lambda count: np.array([1, 3]))
    for _ in range(2):
        assert [frame.index for frame in found] == [1, 3]
        assert all((frame.rgb() == COLOUR).all() for frame in found)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.fromarray(GREY), np.stack([GREY] * 3, axis=-1)),
        (Image.fromarray(GREY.astype(np.uint16) * 256 + 255), np.stack([GREY] * 3, axis=-1)),
        (Image.fromarray(np.dstack([COLOUR, GREY])), COLOUR),
        (Image.fromarray(GREY).convert("P"), np.stack([GREY] * 3, axis=-1)),
    ],
    ids=["grey", "16 bits", "alpha", "palette"],
)
def test_every_kind_of_pixels_becomes_colours(tmp_path, image, expected):
    image.save(tmp_path / "0.png")
    (frame,) = read(tmp_path)
    np.testing.assert_array_equal(frame.rgb(), expected)


def test_a_turned_photograph_is_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    picture = np.zeros((8, 16, 3), np.uint8)
    picture[:, :8] = 255
    Image.fromarray(picture).save(tmp_path / "0.png", exif=exif)
    (frame,) = read(tmp_path)
    assert frame.rgb().shape == (16, 8, 3)
    assert frame.rgb()[:, 0, 0].tolist() == [255] * 8 + [0] * 8


def test_the_face_of_aligned_crops_is_found(tmp_path):
    # DeepfakeBench's 256 pixels hold the face and 30 % around it: the eyes are 62 pixels apart.
    numbers = range(0, 120, 30)
    photo = skimage.data.astronaut()
    faces = [photo[15 + shift : 201 + shift, 132:318] for shift in range(4)]
    faces = [cv2.resize(face, (256, 256), interpolation=cv2.INTER_CUBIC) for face in faces]
    write_images(tmp_path / "000", numbers, faces)
    spec = ClipSpec(num_frames=4)
    video = Video(str(tmp_path / "000"), "000", 0, "original", "000", native=False)
    (clip,) = process_video(video, spec, [REGIONS["full"]]).clips["full"]
    assert clip.face_found.all()
    assert clip.frame_indices.tolist() == list(numbers)
    left, top, right, bottom = clip.boxes[0]
    eyes, lips = (102 - 15) / 186 * 256, (145 - 15) / 186 * 256
    assert top < eyes < top + 0.4 * (bottom - top)
    assert top + 0.6 * (bottom - top) < lips < bottom
    assert 0 < left < 256 / 3 < 512 / 3 < right < 256


@pytest.mark.parametrize(
    ("numbers", "track"), [((0, 9, 18, 27), "shared"), ((0, 8, 16, 24), "own: frames differ")]
)
def test_a_track_is_shared_by_folders_of_the_same_frames_only(tmp_path, numbers, track):
    write_images(tmp_path / "000", (0, 9, 18, 27), face_frames(4))
    write_images(tmp_path / "000_003", numbers, face_frames(4))
    original = Video(str(tmp_path / "000"), "000", 0, "original", "000")
    fake = Video(str(tmp_path / "000_003"), "000_003", 1, "Face2Face", "000", "003", original=original)
    processed = process_video(fake, ClipSpec(num_frames=4, share_tracks=True), [REGIONS["full"]])
    assert processed.faces.track == track


@pytest.mark.parametrize(
    ("prepare", "status", "reason"),
    [
        (lambda f: None, "unreadable", "it is a folder without images"),
        (lambda f: (f / "x.png").touch(), "unreadable", "the image x.png has no number in its name"),
        (lambda f: (f / "3.png").touch(), "unreadable", "the image 3.png can't be read"),
        (lambda f: cut(f / "3.png"), "unreadable", "the image 3.png can't be read"),
        (lambda f: cut(f / "3.jpg"), "unreadable", "the image 3.jpg can't be read"),
        (lambda f: write_images(f, [1, 1], [COLOUR] * 2, "{}.bmp") and write_images(f, [1], [COLOUR]),
         "unreadable", "the images 001.png and 1.bmp have one number"),
        (lambda f: write_images(f, [1, 2], [COLOUR, COLOUR[:8]]), "unreadable",
         "its images differ in size: 16x16 (001.png) and 16x8 (002.png)"),
        (lambda f: animate(f / "1.webp"), "unreadable", "the image 1.webp is an animation"),
        (lambda f: forge(f / "1.png", 30_000), "too_large", "the image 1.png is above the limit of"),
        (lambda f: forge(f / "1.png", 10_000), "too_large", "the image 1.png is above the limit of"),
    ],
)  # fmt: skip
def test_a_folder_that_is_no_video_says_why_and_names_the_image(tmp_path, prepare, status, reason):
    prepare(tmp_path)
    found = failure(tmp_path)
    assert found[0] == status
    assert found[1].startswith(reason)


def cut(path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-2000])


def animate(path):
    frames = [Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR)]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def forge(path, side):
    """A small file whose header claims a large picture."""
    Image.fromarray(COLOUR).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", side, side)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
