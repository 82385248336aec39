"""Videos of one's own, each looked at by a real worker process."""

import io
import os
import signal
from contextlib import closing
from dataclasses import replace

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

import deepfake_tfdata.video.inspect as inspect_module
from deepfake_tfdata.clips.inspected import InspectionPlan
from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.worker import Worker
from deepfake_tfdata.video import decode, found_face
from deepfake_tfdata.video.inspect import inspect_video
from deepfake_tfdata.video.process import process_video
from tests.fakes import blank_frames, face_frames, write_video
from tests.video import odd

FACE_AND_MOUTH = (REGIONS["full"], REGIONS["mouth"])
SPEC = ClipSpec(num_frames=8, frame_size=32)
PLAN = InspectionPlan(SPEC, FACE_AND_MOUTH, longest_span=1.0)
# A still picture stays below it, however it is moved; who speaks does not.
STILL = 3.0


def video(path):
    return Video(str(path), "a", 0, "original", "a")


def talking(num_frames):
    """A face that speaks: the lips of the photograph open and close."""
    frames = face_frames(num_frames)
    for time, frame in enumerate(frames):
        x, y = -110 + 8 * np.sin(time / 6) + 223, 5 * np.cos(time / 5) + 147
        opening = round(9 * abs(np.sin(time / 2)))
        cv2.ellipse(
            frame, (round(x * 256 / 300), round(y * 256 / 300)), (12, opening), 0, 0, 360, (60, 20, 20), -1
        )
    return frames


def two_people(num_frames):
    """The second face is less than half as large as the first, and comes in from the right."""
    large, small = face_frames(num_frames, 320), face_frames(num_frames, 112, shift=3)
    frames = [np.full((256, 400, 3), 120, np.uint8) for _ in range(num_frames)]
    for time, (frame, left, right) in enumerate(zip(frames, large, small, strict=True)):
        start = 272 + 24 * max(0, 5 - time)
        frame[:, :256], frame[72:184, start : start + 112] = (
            left[:256, 20:276],
            right[:, ::-1][:, : 400 - start],
        )
    return frames


def another_place(num_frames):
    return [cv2.resize(skimage.data.coffee()[:400, :400], (256, 256))] * num_frames


def slide_show():
    photo = skimage.data.astronaut()
    slides = [photo[:260, 90:350], photo[20:200, 120:300, ::-1], photo[10:230, 110:330][:, ::-1]]
    return [cv2.resize(slide, (256, 256)) for slide in slides for _ in range(25)]


def covered_later():
    """Something slides over the face and stays."""
    frames = face_frames(75)
    for time, frame in enumerate(frames):
        frame[:, : max(0, 12 * (time - 30))] = 128
    return frames


def phone(path):
    """4K, held upright: the picture is stored turned."""
    stored = [np.rot90(frame[:, 56:200]).repeat(15, 0).repeat(15, 1) for frame in face_frames(8)]
    write_video(path, stored, preset="ultrafast", crf="20")
    return odd.with_display_matrix(path, 0, 1, -1, 0)


FILES = {
    "talking": lambda path: write_video(path, talking(50)),
    "no face": lambda path: write_video(path, blank_frames(20)),
    "two": lambda path: write_video(path, two_people(20)),
    "cut": lambda path: write_video(
        path, face_frames(30) + another_place(20) + talking(20) + another_place(5)
    ),
    "slides": lambda path: write_video(path, slide_show(), crf="30"),
    "phone": phone,
    "broken": lambda path: odd.truncated(odd.face_video(path), 0.5),
    "short": lambda path: write_video(path, face_frames(5)),
    "partly": lambda path: write_video(path, covered_later()),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def outcomes(folder):
    """What a worker makes of every file."""
    for name, make in FILES.items():
        make(folder / f"{name}.mp4")
    with closing(Worker(inspect_or_die)) as worker:
        outcomes = {name: worker.process(video(folder / f"{name}.mp4")) for name in FILES}
        killed = replace(video(folder / "talking.mp4"), video_id="killed")
        return {**outcomes, "killed": worker.process(killed)}


def inspect_or_die(video):
    """A worker's work."""
    if video.video_id == "killed":  # in the middle of decoding
        decode.decode_packet = lambda packet: os.kill(os.getpid(), signal.SIGKILL)
    return inspect_video(video, PLAN)


@pytest.fixture(scope="module")
def inspected(outcomes):
    broken = [name for name, outcome in outcomes.items() if outcome.status != "ok"]
    assert broken == ["broken", "killed"], [outcomes[name] for name in broken]
    return {name: outcome.processed for name, outcome in outcomes.items()}


def pixels(clip, time=0):
    return np.frombuffer(clip.frames[time], np.uint8).reshape(clip.height, clip.width, 3)


def test_a_talking_head(inspected):
    seen = inspected["talking"]
    (face,), (shot,) = seen.seen, seen.shots
    assert (shot.first, shot.last, shot.start, shot.end, shot.reason) == (0, 49, 0, 1.96, "")
    assert face.found.all() and face.coverage == 1
    assert face.motion > STILL
    assert face.frame_indices[[0, -1]].tolist() == [0, 49]
    np.testing.assert_allclose(face.timestamps, face.frame_indices / 25, atol=1e-3)
    assert 65 < face.face_pixels < 80
    assert seen.without_face == ()
    # Clips of a second that overlap by half, all regions alike.
    full, mouth = (face.clips[region] for region in ("full", "mouth"))
    assert [c.frame_indices.tolist() for c in full] == [c.frame_indices.tolist() for c in mouth]
    assert full[1].frame_indices[:4].tolist() == full[0].frame_indices[4:].tolist()
    assert all(np.ptp(clip.timestamps) < 1.05 for clip in full)
    assert pixels(mouth[0]).shape[0] < pixels(full[0]).shape[0]
    assert seen.header["num_frames"] == 50 and seen.header["seconds"] == 2
    assert (seen.header["codec"], seen.header["has_sound"], seen.header["rotation"]) == ("h264", False, 0)


def test_no_face_is_no_error(inspected):
    seen = inspected["no face"]
    assert seen.seen == () and len(seen.without_face) == 8
    assert seen.shots[0].reason == "" and len(seen.pictures) == 8


def test_two_faces_have_their_own_clips_the_larger_first(inspected):
    large, small = inspected["two"].seen
    assert large.found.all() and small.found.sum() >= 5 and small.found[-1]
    assert small.face_pixels < large.face_pixels / 2
    assert large.boxes[large.found][:, 2].max() < 256 < small.boxes[small.found][:, 0].min()
    ids = [clip.clip_id for face in (large, small) for clip in face.clips["full"]]
    assert len(set(ids)) == len(ids)


def test_every_shot_is_looked_at_for_itself(inspected):
    seen = inspected["cut"]
    assert [(shot.first, shot.last) for shot in seen.shots] == [(0, 29), (30, 49), (50, 69), (70, 74)]
    assert [shot.reason for shot in seen.shots] == ["", "", "", "5 frames, a clip needs 8"]
    assert sorted(face.shot for face in seen.seen) == [0, 2]
    for face in seen.seen:
        shot = seen.shots[face.shot]
        assert shot.first <= face.frame_indices[0] and face.frame_indices[-1] <= shot.last
        assert shot.start <= face.timestamps[0] and face.timestamps[-1] <= shot.end
    assert set(seen.without_face) <= set(range(30, 50)) and len(seen.without_face) == 8
    assert 72 in seen.pictures


def test_a_slide_show_stands_still(inspected):
    seen = inspected["slides"]
    assert len(seen.shots) == 3 and len(seen.seen) == 3
    assert max(face.motion for face in seen.seen) < STILL / 2


def test_a_photograph_that_is_moved_does_not_speak(inspected):
    moved, speaking = sorted(inspected["cut"].seen, key=lambda face: face.shot)
    assert moved.motion < STILL < 5 * STILL < speaking.motion


def test_a_phone_held_upright_is_seen_upright(inspected, folder):
    seen = inspected["phone"]
    assert (seen.header["width"], seen.header["height"], seen.header["rotation"]) == (2160, 3840, 90)
    (face,) = seen.seen
    assert face.found.all() and face.face_pixels > 800
    picture = Image.open(io.BytesIO(seen.pictures[0]))
    assert picture.size == (640, 1138)
    expected = cv2.resize(face_frames(1)[0][:, 56:200], picture.size)
    assert np.abs(np.asarray(picture, int) - expected).mean() < 8
    clip = face.clips["full"][0]
    left, top, right, bottom = (clip.boxes[0] * 640 / 2160).round().astype(int)
    place = np.asarray(picture, int)[top:bottom, left:right]
    assert np.abs(cv2.resize(pixels(clip), place.shape[1::-1]) - place).mean() < 8


def test_a_broken_file_has_its_reason(outcomes):
    assert outcomes["broken"].status == "unreadable"
    assert "truncated" in outcomes["broken"].reason


def test_a_video_shorter_than_a_clip_says_so(inspected):
    seen = inspected["short"]
    assert seen.shots[0].reason == "5 frames, a clip needs 8"
    assert seen.seen == () and seen.without_face == () and list(seen.pictures) == [2]


def test_a_face_in_a_part_of_the_shot_is_judged_by_that_part(inspected):
    seen = inspected["partly"]
    (face,) = seen.seen
    assert face.windows_left_out >= 2 and len(face.clips["full"]) >= 1
    assert face.coverage > 0.75 > face.found.mean()
    assert max(clip.frame_indices[0] for clip in face.clips["full"]) < 30
    assert set(seen.without_face) == set(face.frame_indices[~face.found].tolist())


SPECS = {
    "native": ClipSpec(num_frames=8),
    "png": ClipSpec(num_frames=8, geometry="resized", encoding="png", frame_size=48),
    "jpeg": ClipSpec(num_frames=8, geometry="resized", encoding="jpeg", frame_size=48),
    "consecutive": ClipSpec(num_frames=8, sampling="consecutive", max_side=64),
}


@pytest.mark.parametrize("name", SPECS)
def test_the_clips_are_those_of_the_converter(outcomes, folder, name, monkeypatch):
    spec, path = SPECS[name], folder / ("cut.mp4" if name == "native" else "talking.mp4")
    converted = process_video(video(path), spec, FACE_AND_MOUTH)
    if name == "native":
        monkeypatch.setattr(decode, "MAX_HELD_BYTES", 1000)  # they are decoded again
    seen = inspect_video(video(path), InspectionPlan(spec, FACE_AND_MOUTH))
    for region in ("full", "mouth"):
        (theirs,) = converted.clips[region]
        ours = [clip for face in seen.seen if face.shot == 0 for clip in face.clips[region]]
        (same,) = [c for c in ours if np.array_equal(c.frame_indices, theirs.frame_indices)]
        assert same.frames == [decoded(frame, spec.encoding) for frame in theirs.frames]
        assert (same.height, same.width, same.spec_hash) == (theirs.height, theirs.width, spec.hash)
        for values in ("timestamps", "boxes", "face_found"):
            np.testing.assert_array_equal(getattr(same, values), getattr(theirs, values))


def decoded(frame, encoding):
    return frame if encoding == "raw" else np.asarray(Image.open(io.BytesIO(frame))).tobytes()


def test_a_face_that_is_seen_too_rarely_has_no_clip_and_is_not_nobody(outcomes, folder):
    strict = replace(SPEC, min_found=0.95)
    seen = inspect_video(video(folder / "partly.mp4"), InspectionPlan(strict, FACE_AND_MOUTH))
    (face,) = seen.seen
    assert face.clips == {"full": [], "mouth": []} and 0 < face.coverage < 0.95
    assert face.face_pixels > 30 and face.motion is None and face.windows_left_out == 1
    assert not set(seen.without_face) & set(face.frame_indices[face.found].tolist())


def test_of_many_faces_the_largest_are_looked_at_and_all_share_the_clips(outcomes, folder, monkeypatch):
    plan = InspectionPlan(SPEC, FACE_AND_MOUTH, longest_span=0.5, max_windows=3)
    both = inspect_video(video(folder / "two.mp4"), plan)
    assert len(both.seen) == 2 and both.faces_passed_over == 0
    assert sum(len(face.clips["full"]) for face in both.seen) <= 3
    monkeypatch.setattr(inspect_module, "MAX_FACES", 1)
    one = inspect_video(video(folder / "two.mp4"), plan)
    assert len(one.seen) == 1 and one.faces_passed_over == 1
    assert one.seen[0].face_pixels == both.seen[0].face_pixels


def test_of_many_windows_and_of_large_clips_as_many_as_allowed_are_taken(outcomes, folder, monkeypatch):
    path = folder / "partly.mp4"
    every = inspect_video(video(path), InspectionPlan(SPEC, FACE_AND_MOUTH, longest_span=0.5))
    clips = every.seen[0].clips["full"]
    assert every.windows_passed_over == 0 and len(clips) >= 3
    few = inspect_video(video(path), InspectionPlan(SPEC, FACE_AND_MOUTH, longest_span=0.5, max_windows=4))
    assert few.windows_passed_over == every.seen[0].windows_left_out + len(clips) - 4
    num_bytes = sum(len(frame) for of in every.seen[0].clips.values() for clip in of for frame in clip.frames)
    monkeypatch.setattr(found_face, "MAX_INSPECTED_BYTES", num_bytes // 2)
    thin = inspect_video(video(path), InspectionPlan(SPEC, FACE_AND_MOUTH, longest_span=0.5)).seen[0]
    assert 1 <= len(thin.clips["full"]) == len(thin.clips["mouth"]) <= len(clips) // 2
    assert thin.windows_passed_over == len(clips) - len(thin.clips["full"])
    assert thin.coverage == every.seen[0].coverage


def test_a_decoder_that_is_killed_leaves_a_status(outcomes):
    assert outcomes["killed"].status == "crashed"
