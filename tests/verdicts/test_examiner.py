"""Which verdicts stand, and which are made again."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.outcome import Outcome
from deepfake_tfdata.reports.verdict_page import write_verdict_page
from deepfake_tfdata.verdicts.ensemble import Ensemble
from deepfake_tfdata.verdicts.examiner import Examiner, Request
from deepfake_tfdata.verdicts.options import VerdictOptions
from deepfake_tfdata.verdicts.work import examine
from tests.verdicts import made


def look(plan, video):
    return made.inspected(made.face([150]))


@pytest.fixture
def video(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"a video")
    return Video(str(tmp_path / "clip.mp4"), "clip.mp4", 0, "video", "clip.mp4")


@pytest.fixture
def examiner(tmp_path):
    def make(calibrated=None, annotate=None, **options):
        request = Request(
            ("runs/mouth",),
            VerdictOptions(**options),
            str(tmp_path / "out"),
            look,
            write_verdict_page,
            {"av": "17"},
            "python -m deepfake_tfdata.predict",
            annotate,
        )
        detector = made.BrightnessDetector(calibrated or made.calibration())
        return Examiner(request, Ensemble((detector,)))

    return make


def finish(examiner, video, status="ok"):
    processed = examine(video, lambda each: look(None, each)) if status == "ok" else ProcessedVideo()
    return examiner.finish(video, Outcome(processed, status, "the decoder crashed" * (status != "ok"), 1.0))


def test_a_verdict_on_the_same_file_by_the_same_detector_stands(examiner, video):
    made_now = finish(examiner(), video)
    assert examiner().finished(video) == json.loads(json.dumps(made_now))


def test_another_file_of_that_name_is_judged_again(examiner, video, tmp_path):
    finish(examiner(), video)
    (tmp_path / "clip.mp4").write_bytes(b"another video")
    assert examiner().finished(video) is None


def test_another_level_or_calibration_is_another_verdict(examiner, video):
    finish(examiner(), video)
    assert examiner(max_false_alarms=100.0).finished(video) is None
    assert examiner(max_clips=64).finished(video) is None
    other = made.calibration(reference=made.reference(num_people=30))
    assert examiner(calibrated=other).finished(video) is None


def test_what_a_crash_left_is_tried_again_and_says_so_until_then(examiner, video):
    values = finish(examiner(), video, "crashed")
    assert values["verdict"] == "abstained" and values["reasons"] == ["the decoder crashed"]
    assert len(values["sha256"]) == 64
    assert examiner().finished(video) is None


def test_a_damaged_verdict_is_made_again(examiner, video, tmp_path):
    finish(examiner(), video)
    (tmp_path / "out/clip.mp4/verdict.json").write_text('{"sha256": ')
    assert examiner().finished(video) is None
    assert examiner().finished(replace(video, video_id="elsewhere.mp4")) is None


def write_mark(output, drawn, video):
    Path(output).write_text(" | ".join(face.text for face in drawn))
    return ProcessedVideo()


def test_an_annotated_video_is_that_of_the_verdict_that_stands(examiner, video, tmp_path):
    annotated = tmp_path / "out/clip.mp4/annotated.mp4"
    finish(examiner(), video)
    with_it = examiner(annotate=write_mark)
    assert with_it.finished(video) is None  # it was not drawn yet
    finish(with_it, video)
    assert annotated.read_text() == "1: evidence of manipulation, LR 21"
    assert with_it.finished(video)
    finish(examiner(max_false_alarms=1.0), video)
    assert not annotated.exists()
    finish(examiner(annotate=write_mark, max_false_alarms=1.0), video)
    assert annotated.read_text() == "1: abstained"
