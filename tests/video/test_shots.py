"""Cuts in real video files, and the clips that keep clear of them."""

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video import faces, shots
from deepfake_tfdata.video.detectors import load_detector
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.faces import face_statistics, follow_faces, sample_video
from deepfake_tfdata.video.frame_sampling import sample_frames
from deepfake_tfdata.video.process import process_video
from deepfake_tfdata.video.shots import Shots
from tests.fakes import dissolve, face_frames, write_video

PHOTOGRAPHS = {name: getattr(skimage.data, name)() for name in ("astronaut", "chelsea", "coffee")}
HEIGHT, WIDTH = 120, 160
SPEC = ClipSpec(num_frames=8, frame_size=32)


def scene(name, num_frames, zoom=1.0, step=0.5, noise=3.0):
    """A photograph, filmed by a camera that moves by `step` pixels a frame."""
    random = np.random.default_rng(0)
    photograph = PHOTOGRAPHS[name]
    scale = zoom * 2 * WIDTH / photograph.shape[1]
    for time in range(num_frames):
        left, top = -40 - step * time, -10 + 2 * np.sin(time / 3)
        matrix = np.float32([[scale, 0, left * zoom], [0, scale, top * zoom]])
        frame = cv2.warpAffine(photograph, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        noisy = frame + random.normal(0, noise, frame.shape)
        yield np.clip(noisy, 0, 255).astype(np.uint8)


def scenes(*lengths, zooms=(1.0,)):
    names = list(PHOTOGRAPHS)
    return [
        frame
        for number, length in enumerate(lengths)
        for frame in scene(names[number % 3], length, zooms[number % len(zooms)])
    ]


def cuts_of(path, spec=SPEC):
    return list(sample_video(str(path), spec).shots.cuts)


# With and without key frames at the cuts, which encoders set if they see them.
ENCODERS = {
    "h264": {"g": "250"},
    "h264 that sees no cuts": {"sc_threshold": "0", "x264-params": "scenecut=0:bframes=8:b-pyramid=normal"},
    "h264 of low quality": {"crf": "40", "x264-params": "scenecut=0"},
    "mpeg4": {"codec": "mpeg4", "bf": "2"},
    "vp9, where every frame is decoded": {"codec": "libvpx-vp9", "cpu-used": "8"},
}


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_cut_is_found_at_its_frame(tmp_path, encoder):
    suffix = "webm" if "vp9" in encoder else "mp4"
    path = write_video(tmp_path / f"a.{suffix}", scenes(3, 17, 30, 6, 24, 4), **ENCODERS[encoder])
    assert cuts_of(path) == [2, 19, 49, 55, 79]


@pytest.mark.parametrize("zoom", [1.3, 2])
def test_a_cut_to_another_zoom_of_the_same_person_is_found(tmp_path, zoom):
    frames = face_frames(60)
    near = [cv2.getRectSubPix(f, (round(256 / zoom),) * 2, (128, 110)) for f in frames[30:]]
    frames[30:] = [cv2.resize(f, (256, 256), interpolation=cv2.INTER_CUBIC) for f in near]
    assert cuts_of(write_video(tmp_path / "a.mp4", frames)) == [29]


def test_two_cuts_close_together_are_found(tmp_path):
    frames = [*scene("chelsea", 20), *scene("chelsea", 4, 1.1), *scene("chelsea", 20, 1.2)]
    assert cuts_of(write_video(tmp_path / "a.mp4", frames)) == [19, 23]


def flashing(num_frames=2, at=30):
    frames = list(scene("astronaut", 60))
    for time in range(at, at + num_frames):
        frames[time] = np.full_like(frames[time], 250)
    return frames


def lamp_on():
    frames = list(scene("coffee", 60))
    return [
        *frames[:30],
        *(np.clip(1.4 * frame.astype(float), 0, 255).astype(np.uint8) for frame in frames[30:]),
    ]


def stuttering():
    """Every frame four times, as of a slow camera."""
    return [frame for frame in scene("chelsea", 15, step=4) for _ in range(4)]


def sudden_motion():
    """Still, then a fast pan, then still."""
    moving = list(scene("coffee", 20, step=8))
    return [moving[0]] * 20 + moving + [moving[-1]] * 20


def passing():
    """Something large goes by in front of the camera."""
    frames = [frame.copy() for frame in scene("astronaut", 60)]
    for time in range(20, 40):
        left = 14 * (time - 25)
        frames[time][:, max(0, left) : max(0, left + 60)] = 40
    return frames


WITHOUT_CUTS = {
    "a talking head": lambda: face_frames(60),
    "a slow pan": lambda: list(scene("coffee", 60, step=1)),
    "a fast pan": lambda: list(scene("coffee", 60, step=8)),
    "a pan that begins and ends": sudden_motion,
    "a zoom": lambda: [f for z in np.linspace(1, 3, 60) for f in scene("chelsea", 1, z)],
    "noise": lambda: list(scene("chelsea", 60, noise=40)),
    "a flash": lambda: flashing(1),
    "a flash of two frames": lambda: flashing(2),
    "a lamp": lamp_on,
    "a slow camera": stuttering,
    "something passing": passing,
    "blank": lambda: [np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level in range(60)],
    "a fade to black": lambda: [
        *scene("coffee", 20),
        *dissolve(list(scene("coffee", 20))[-1], np.zeros((HEIGHT, WIDTH, 3), np.uint8), 20),
    ],
    # No cut, so that a clip may go through it: the README says so.
    "a dissolve": lambda: [
        *scene("coffee", 20),
        *dissolve(list(scene("coffee", 20))[-1], next(scene("chelsea", 1)), 20),
        *scene("chelsea", 20),
    ],
}


@pytest.mark.parametrize("what", WITHOUT_CUTS)
def test_is_no_cut(tmp_path, what):
    assert cuts_of(write_video(tmp_path / "a.mp4", WITHOUT_CUTS[what](), crf="23")) == []


@pytest.fixture(scope="module")
def cut_video(tmp_path_factory):
    """Shots of 20, 50, 10 and 30 frames."""
    return write_video(tmp_path_factory.mktemp("shots") / "a.mp4", scenes(20, 50, 10, 30))


def test_a_clip_is_of_the_longest_shot(cut_video):
    sampled = sample_video(str(cut_video), SPEC)
    assert sampled.clips.tolist() == [[20, 27, 34, 41, 48, 55, 62, 69]]
    assert [frame.index for frame in sampled.frames] == sampled.clips[0].tolist()


def test_no_run_of_frames_spans_a_cut(cut_video):
    spec = ClipSpec(num_frames=12, sampling="consecutive", clips_per_video=6)
    clips = sample_video(str(cut_video), spec).clips
    assert clips.shape == (4, 12)
    assert (np.diff(clips) == 1).all()
    assert clips.min() >= 20 and clips.max() < 70


def test_a_short_shot_between_two_sampled_frames_is_seen(tmp_path):
    inserted = scenes(60)
    inserted[35:41] = scene("coffee", 6)
    path = write_video(tmp_path / "a.mp4", inserted)
    sampled = sample_video(str(path), ClipSpec(num_frames=4))
    assert sampled.shots.cuts == (34, 40)
    assert sampled.clips[0].max() < 35


def test_a_video_of_short_shots_is_refused_with_the_counts(cut_video):
    spec = ClipSpec(num_frames=51)
    with pytest.raises(VideoError, match="longest of its 4 shots has 50 frames and a clip needs 51") as error:
        sample_video(str(cut_video), spec)
    assert error.value.status == "short_shots"
    assert error.value.faces.shots == 4


def test_cuts_that_are_ignored_are_counted(tmp_path):
    path = write_video(tmp_path / "a.mp4", [*face_frames(20, shift=0), *face_frames(40, shift=-40)])
    video = Video(str(path), "0", 0, "original", "0")
    for way, first, cuts in (("ignore", 0, 1), ("longest", 20, 0)):
        processed = process_video(video, ClipSpec(num_frames=8, shots=way), [REGIONS["full"]])
        assert (processed.faces.shots, processed.faces.cuts) == (2, cuts)
        assert processed.clips["full"][0].frame_indices[0] == first


def test_one_shot_is_decoded_once(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", list(scene("astronaut", 60)))
    passes = []
    for module in (faces, shots):
        decode = module.decode_frames
        monkeypatch.setattr(module, "decode_frames", lambda *a, do=decode: passes.append(a) or do(*a))
    sample_video(str(path), SPEC)
    assert len(passes) == 1


@pytest.mark.parametrize(("zoom", "whose"), [(1.0, "shared"), (1.5, "own: frames differ")])
def test_a_fake_has_the_frames_of_its_original(tmp_path, zoom, whose):
    """The original's change of zoom is a cut; that of the fake is hardly one, or another."""
    still = face_frames(40)
    cut = [cv2.resize(f[20:236, 20:236], (256, 256)) for f in still]
    original = write_video(tmp_path / "000.mp4", [*still[:15], *cut[15:]])
    # The fake has no cut where its original has one, or one more.
    fake = (
        still
        if zoom == 1
        else [*still[:30], *(cv2.resize(f[60:230, 60:230], (256, 256)) for f in still[30:])]
    )
    path = write_video(tmp_path / "000_001.mp4", fake)
    real = Video(str(original), "000", 0, "original", "000")
    video = Video(str(path), "000_001", 1, "Face2Face", "000", "001", original=real)
    spec = ClipSpec(num_frames=8, share_tracks=True)
    followed = follow_faces(video, spec, load_detector("haar", ""))
    assert followed.whose == whose
    assert followed.sampled.clips[0, 0] == (15 if whose == "shared" else 0)
    assert face_statistics(followed).cuts == 0


lengths = st.lists(st.integers(1, 80), min_size=1, max_size=8)


@given(lengths, st.integers(1, 60), st.integers(1, 5), st.sampled_from(["linspace", "consecutive"]))
def test_all_frames_are_of_a_longest_shot(lengths, num_frames, clips, sampling):
    ends = np.cumsum(lengths).tolist()
    spec = ClipSpec(
        num_frames=num_frames,
        sampling=sampling,
        clips_per_video=clips if sampling == "consecutive" else 1,
    )
    cut = Shots(ends[-1], tuple(end - 1 for end in ends[:-1]))
    assert [len(shot) for shot in cut.ranges] == lengths
    if max(lengths) < num_frames:
        with pytest.raises(VideoError) as error:
            sample_frames(cut, spec)
        assert error.value.status == ("too_short" if ends[-1] < num_frames else "short_shots")
        return
    indices = sample_frames(cut, spec)
    assert (np.diff(indices.ravel()) > 0).all()
    assert cut.cuts_within(indices) == 0
    (shot,) = {n for n, shot in enumerate(cut.ranges) for index in indices.flat if index in shot}
    assert lengths[shot] == max(lengths)
