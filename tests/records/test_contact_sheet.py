"""The contact sheet of a real conversion with good and bad videos."""

import html
import re

import pytest

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.contact_sheet import ConvertedVideo, choose
from deepfake_tfdata.records.ledger import LedgerEntry
from deepfake_tfdata.records.plan import ShardPlan
from tests.fakes import blank_frames, face_frames, write_video


@pytest.fixture(scope="module")
def sheet(command, tmp_path_factory) -> str:
    root = tmp_path_factory.mktemp("sheet")
    videos = root / "source" / "original_sequences" / "youtube" / "c23" / "videos"
    write_video(videos / "000.mp4", face_frames(12))
    write_video(videos / "gap.mp4", face_frames(8) + blank_frames(4))
    write_video(videos / "<script>.mp4", blank_frames(12))
    result = command(
        "convert",
        f"--source={root / 'source'}",
        f"--output={root / 'records'}",
        "--num_frames=6",
        "--frame_size=48",
    )
    assert result.returncode == 0, result.stderr
    return (root / "records" / "contact_sheet.html").read_text()


def test_it_says_what_became_of_the_videos(sheet):
    assert "2 of 3 videos gave clips, 1 no face." in sheet
    assert html.escape("original/<script>") in sheet


def test_it_is_self_contained_and_escaped(sheet):
    assert "<script" not in sheet
    assert not re.search(r'(src|href)="(?!data:)', sheet)


def test_every_video_has_a_strip(sheet):
    assert sheet.count("data:image/jpeg;base64,") == 2
    assert re.search(r"<b>original/gap</b>[^<]*face found 67%", sheet)
    assert re.search(r"<b>original/000</b>[^<]*face found 100%", sheet)


def converted(name: str, jitter: float | None, frames_found: int) -> ConvertedVideo:
    video = Video("", name, 0, "original", name)
    faces = FaceStatistics(frames_found=frames_found, jitter_smooth=jitter)
    return ConvertedVideo(video, LedgerEntry(video.key, "ok", "", 1, 1.0, faces), ShardPlan("", 0, 1, ()), 0)


def test_the_worst_come_first_and_the_rest_is_a_sample():
    videos = [converted(f"{n:03d}", None, 32) for n in range(200)]
    videos += [converted(f"shaky{n:02d}", 0.01 * (n + 1), 32) for n in range(20)]
    videos += [converted(f"lost{n:02d}", None, n) for n in range(20)]
    shown = dict(choose(videos, 32))
    names = {heading: [item.video.video_id for item in items] for heading, items in shown.items()}
    assert names["Highest jitter"] == [f"shaky{n:02d}" for n in range(19, 7, -1)]
    assert names["Lowest coverage"] == [f"lost{n:02d}" for n in range(12)]
    assert sum(map(len, names.values())) == len(set().union(*names.values())) == 60
    assert dict(choose(videos[::-1], 32)) == shown
