"""The contact sheet of a real conversion with good and bad videos."""

import html
import io
import json
import re
import shutil
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.ledger import LedgerEntry
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.reports.contact_sheet import ConvertedVideo, choose
from deepfake_tfdata.reports.strips import decode_frame
from tests.fakes import blank_frames, face_frames, write_video
from tests.reports.html_checks import check_html


@pytest.fixture(scope="module")
def sheet_records(command, tmp_path_factory) -> Path:
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
        "--shots=ignore",  # the gap is another shot
    )
    assert result.returncode == 0, result.stderr
    return root / "records"


@pytest.fixture(scope="module")
def sheet(sheet_records) -> str:
    return (sheet_records / "contact_sheet.html").read_text()


def test_it_says_what_became_of_the_videos(sheet):
    assert "2 of 3 videos gave clips, 1 no face." in sheet
    assert html.escape("original/<script>") in sheet


def test_it_is_self_contained_and_escaped(sheet):
    check_html(sheet)
    assert not re.search(r'(src|href)="(?!data:)', sheet)


def test_every_video_has_a_strip(sheet):
    assert sheet.count("data:image/jpeg;base64,") == 2
    assert re.search(r"<b>original/gap</b>[^<]*face found 67%", sheet)
    assert re.search(r"<b>original/000</b>[^<]*face found 100%", sheet)


def test_it_shows_how_large_the_faces_are_and_what_a_detector_would_see(sheet, sheet_records):
    sizes = json.loads((sheet_records / "conversion.json").read_text())["face_sizes"]
    assert len(sizes["quantiles"]) == 5
    section = sheet[sheet.index("Face sizes, and what") : sheet.index("<h2>Highest jitter")]
    for region in ("full", "eyes", "mouth"):
        (row,) = re.findall(rf'<th scope="row">{region}</th>(.*?)</tr>', section)
        seen = [f"{across:.2f} × {down:.2f}" for across, down in sizes["density"][region].values()]
        assert re.findall(r"<td>([^<]*)</td>", row) == [*seen, f"{sizes['reduced'][region]:.0%}"]
    # Every figure of the plot is in its table.
    assert section.count("data:image/png;base64,") == 1
    assert re.findall(r'<a download="([^"]+)"', sheet) == ["face_sizes.csv", "face_sizes.svg"]
    bins = re.findall(r'<th scope="row">\d+ to \d+</th><td>(\d+)</td><td>(\d+)</td>', section)
    assert [[int(real) for real, _ in bins], [int(fake) for _, fake in bins]] == [*sizes["counts"].values()]


def strips(sheet: str) -> dict[str, np.ndarray]:
    """The picture of every video."""
    found = re.findall(r'src="data:image/jpeg;base64,([^"]*)">\s*<figcaption><b>([^<]*)</b>', sheet)
    return {name: np.asarray(Image.open(io.BytesIO(b64decode(data)))) for data, name in found}


def test_a_frame_without_a_face_is_orange(sheet):
    def is_orange(strip: np.ndarray) -> list[bool]:
        edge = strip[1, 42::84].astype(int)  # above the middle of each frame
        return [bool(red > 180 and blue < 80) for red, _, blue in edge]

    assert is_orange(strips(sheet)["original/000"]) == [False] * 6
    assert is_orange(strips(sheet)["original/gap"]) == [False] * 4 + [True] * 2


def test_every_region_is_a_row_of_the_same_face(sheet):
    strip = strips(sheet)["original/000"].astype(float)
    # The strips are 35 % of the face at its top and at its bottom, in whole pixels of the video.
    high = (len(strip) - 84) // 2 - 4
    assert high in (27, 28)
    assert strip.shape == (84 + 2 * (high + 4), 6 * 84, 3)
    whole, eyes, mouth = strip[2:82, 2:82], strip[86 : 86 + high, 2:82], strip[-2 - high : -2, 2:82]
    for row, part in ((eyes, whole[:high]), (mouth, whole[-high:])):
        assert np.corrcoef(row.mean(axis=2).ravel(), part.mean(axis=2).ravel())[0, 1] > 0.9


@pytest.mark.parametrize(("encoding", "error"), [("png", 0), ("webp", 0), ("jpeg", 6)])
def test_images_are_decoded_as_they_were_stored(encoding, error):
    pixels = face_frames(1, 48)[0]
    file = io.BytesIO()
    options = {"lossless": True} if encoding == "webp" else {"quality": 95}
    Image.fromarray(pixels).save(file, encoding, **options)
    decoded = decode_frame(file.getvalue(), encoding, 48, 48)
    assert np.abs(decoded.astype(int) - pixels).mean() <= error
    np.testing.assert_array_equal(decode_frame(pixels.tobytes(), "raw", 48, 48), pixels)


@pytest.mark.parametrize("encoding", ["png", "webp", "jpeg", "raw"])
def test_a_damaged_image_is_one_kind_of_error(encoding):
    pixels = face_frames(1, 48)[0]
    file = io.BytesIO()
    if encoding != "raw":
        Image.fromarray(pixels).save(file, encoding)
    content = file.getvalue() or pixels.tobytes()
    for damaged in (b"", content[: len(content) // 2], b"\0" * 16 + content[16:-1]):
        with pytest.raises(ValueError):
            decode_frame(damaged, encoding, 48, 48)


def test_a_png_that_breaks_off_between_its_parts_is_that_error_too():
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)).save(file, "png")
    before, _, after = file.getvalue().rpartition(b"IDAT")
    assert b"IDAT" in before
    with pytest.raises(ValueError, match="broken PNG"):
        decode_frame(before + b"\1\2\3\4" + after, "png", 200, 200)


def test_regions_of_earlier_runs_are_shown_too(convert_flags, command, tmp_path):
    flags = [*convert_flags, f"--output={tmp_path}", "--limit=2"]
    for regions in ("full", "mouth"):
        result = command("convert", *flags, f"--regions={regions}")
        assert result.returncode == 0, result.stderr
    sheet = (tmp_path / "contact_sheet.html").read_text()
    assert "rows: full, mouth." in sheet
    assert all(len(strip) > 100 for strip in strips(sheet).values())


def shift_shards(output):
    for shard in (output / "full").glob("*.tfrecord-*"):
        shard.write_bytes(b"more" + shard.read_bytes()[:-4])


def blank_shards(output):
    for shard in (output / "full").glob("*.tfrecord-*"):
        content = shard.read_bytes()
        shard.write_bytes(content[:8] + bytes(len(content) - 8))


@pytest.mark.parametrize("damage", [shift_shards, blank_shards])
def test_a_damaged_shard_is_named_and_costs_only_the_sheet(records, convert_flags, command, tmp_path, damage):
    output = shutil.copytree(records, tmp_path / "copy")
    (output / "contact_sheet.html").unlink()
    damage(output)
    result = command("convert", *convert_flags, f"--output={output}")
    assert result.returncode == 0, result.stderr
    assert f"warning: no contact sheet: shard {output}/full/deepfake_full-" in result.stderr
    assert "has been damaged since it was written" in result.stderr
    assert f"python -m tools.inspect_shards {output}, delete them" in result.stderr
    assert "Traceback" not in result.stderr
    assert json.loads((output / "conversion.json").read_text())["complete"]
    assert not (output / "contact_sheet.html").exists()
    assert f"records in {output}" in result.stdout


def test_a_sheet_that_can_not_be_written_costs_nothing_else(records, convert_flags, command, tmp_path):
    output = shutil.copytree(records, tmp_path / "copy")
    (output / "contact_sheet.html").unlink()
    (output / "contact_sheet.html").mkdir()
    result = command("convert", *convert_flags, f"--output={output}")
    assert result.returncode == 0, result.stderr
    assert "warning: no contact sheet: can't write to" in result.stderr
    assert "Traceback" not in result.stderr


def converted(name: str, jitter: float | None, frames_found: int) -> ConvertedVideo:
    video = Video("", name, 0, "original", name)
    faces = FaceStatistics(frames_found=frames_found, jitter_smooth=jitter)
    return ConvertedVideo(
        video, LedgerEntry(video.key, "ok", "", 1, 1.0, faces=faces), ShardPlan("", 0, 1, ())
    )


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
