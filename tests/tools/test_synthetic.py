"""The synthetic data set: its layout, its artefact, and above all that nothing else tells the label."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from deepfake_tfdata.clips.video import Video as SourceVideo
from deepfake_tfdata.video.decode import decode_frames
from deepfake_tfdata.video.detectors.haar import HaarDetector
from deepfake_tfdata.video.search import find_faces
from tools.synthetic.__main__ import DILUTION, main, parse, read_options
from tools.synthetic.artefact import ORIENTATIONS, REGIONS, Artefact, plant, region_box, region_window
from tools.synthetic.generate import frames_of
from tools.synthetic.motion import frame_face, pose
from tools.synthetic.plan import (
    FAKES,
    ORIGINALS,
    SPLITS,
    Options,
    draw_video,
    ground_truth,
    plan_pairs,
    plan_videos,
)
from tools.synthetic.render import render

IDENTITIES, FRAMES = 60, 10
FRAMING = frame_face((320, 320))
PLAIN = Options("dilution", 6, 8, (320, 320), 0, (DILUTION,))
TINY = ["--identities=6", "--frames=8", "--size=160x160"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `dilution` set with 60 videos a class: enough for a rank test, ten frames each."""
    path = tmp_path_factory.mktemp("synthetic") / "set"
    assert main([f"--output={path}", f"--identities={IDENTITIES}", f"--frames={FRAMES}", "--workers=2"]) == 0
    return path


@pytest.fixture(scope="module")
def videos(folder: Path) -> dict[str, dict]:
    """The ground truth by video."""
    return json.loads((folder / "ground_truth.json").read_text())["videos"]


@pytest.fixture(scope="module")
def scores(folder: Path, videos: dict[str, dict]) -> dict[str, np.ndarray]:
    """What a detector might look at, one value a video, from the faces that the Haar cascade finds."""
    rows = [_score_video(folder / path) for path in videos]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _decode(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def _find_face(frame: np.ndarray) -> tuple[int, int, int, int] | None:
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    side = frame.shape[0] // 5
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    faces = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(side, side))
    return max(faces.tolist(), key=lambda face: face[2]) if len(faces) else None


def _stripe_energy(image: np.ndarray, period: float) -> float:
    """The share of the fine vertical detail that is at a period of rows."""
    columns = image - image.mean(axis=0)
    power = (np.abs(np.fft.rfft(columns * np.hanning(len(columns))[:, None], axis=0)) ** 2).mean(axis=1)
    frequency = np.fft.rfftfreq(len(columns))
    return float(power[np.abs(frequency - 1 / period) < 0.04].sum() / power[frequency > 0.12].sum())


def _score_frame(frame: np.ndarray, face: tuple[int, int, int, int]) -> dict[str, float]:
    x, y, side, _ = face
    margin = round(0.12 * side)
    left, top, right, bottom = x - margin, y - margin, x + side + margin, y + side + margin
    lips = round(bottom - 0.35 * (bottom - top))
    image = Image.fromarray(frame).convert("L")
    full = np.asarray(image.crop((left, top, right, bottom)).resize((64, 64), Image.LANCZOS), float)
    mouth = np.asarray(image.crop((left, lips, right, bottom)).resize((64, 64), Image.LANCZOS), float)
    period = DILUTION.period * 64 / (bottom - lips)
    return {
        "mouth_stripes": _stripe_energy(mouth[:, 16:48], period),
        "full_stripes": _stripe_energy(full[41:, 16:48], 2.2),
        "full_detail": cv2.Laplacian(full[41:], cv2.CV_64F).var(),
        "full_mean": full.mean(),
        "full_deviation": full.std(),
        "face_side": side,
        "room_detail": cv2.Laplacian(frame[:50].astype(float), cv2.CV_64F).var(),
        "period": period,
    }


def _score_video(path: Path) -> dict[str, float]:
    frames = _decode(path)[2::4]
    found = [(frame, face) for frame in frames if (face := _find_face(frame)) is not None]
    rows = [_score_frame(frame, face) for frame, face in found]
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return {**means, "found": len(found) / len(frames)}


def _auc(videos: dict[str, dict], values: np.ndarray) -> float:
    return roc_auc_score([truth["label"] == "fake" for truth in videos.values()], values)


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
def test_layout_is_the_official_one(folder: Path, videos: dict[str, dict]) -> None:
    seen = []
    for split in ("train", "val", "test"):
        pairs = json.loads((folder / "splits" / f"{split}.json").read_text())
        seen += [identity for pair in pairs for identity in pair]
        for a, b in pairs:
            for path in (
                f"{ORIGINALS}/{a}.mp4",
                f"{ORIGINALS}/{b}.mp4",
                f"{FAKES}/{a}_{b}.mp4",
                f"{FAKES}/{b}_{a}.mp4",
            ):
                assert (folder / path).is_file()
                assert videos[path]["split"] == split
    assert sorted(seen) == [f"{identity:03d}" for identity in range(IDENTITIES)]
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {*videos, "ground_truth.json", "splits/train.json", "splits/val.json", "splits/test.json"}


def test_split_sizes_are_about_60_20_20() -> None:
    pairs = plan_pairs(Options("dilution", 120, 40, (320, 320), 0, (DILUTION,)))
    assert [len(pairs[split]) for split in ("train", "val", "test")] == [36, 12, 12]
    smallest = plan_pairs(Options("dilution", 6, 40, (320, 320), 0, (DILUTION,)))
    assert all(smallest.values())


@pytest.mark.slow
def test_every_container_reads_the_same(folder: Path, videos: dict[str, dict]) -> None:
    described = set()
    for path in videos:
        with av.open(str(folder / path)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            shape = (
                context.name,
                context.pix_fmt,
                context.width,
                context.height,
                context.profile,
                context.level,
            )
            times = (str(stream.average_rate), stream.frames, stream.duration, str(stream.time_base))
            tags = (str(sorted(container.metadata.items())), str(sorted(stream.metadata.items())))
            types = "".join(str(int(frame.pict_type)) for frame in container.decode(video=0))
            described.add((*shape, *times, *tags, types))
    assert len(described) == 1
    only = described.pop()
    assert only[:4] == ("h264", "yuv420p", 320, 320)
    assert only[6:8] == ("25", FRAMES)


@pytest.mark.slow
def test_file_size_does_not_tell_the_label(folder: Path, videos: dict[str, dict]) -> None:
    sizes = np.array([(folder / path).stat().st_size for path in videos])
    assert np.ptp(sizes) < 0.001 * sizes.mean()
    assert abs(_auc(videos, sizes) - 0.5) < 0.16  # three standard errors of 60 against 60


@pytest.mark.slow
def test_cascade_finds_the_faces(scores: dict[str, np.ndarray]) -> None:
    assert scores["found"].mean() >= 0.95


@pytest.mark.slow
def test_native_mouth_keeps_the_stripes(videos: dict[str, dict], scores: dict[str, np.ndarray]) -> None:
    assert scores["period"].min() > 2.5
    assert _auc(videos, scores["mouth_stripes"]) > 0.97


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["full_stripes", "full_detail", "full_mean", "full_deviation", "face_side", "room_detail"]
)
def test_nothing_else_tells_the_label(
    videos: dict[str, dict], scores: dict[str, np.ndarray], name: str
) -> None:
    assert abs(_auc(videos, scores[name]) - 0.5) < 0.16


@pytest.mark.slow
def test_boxes_and_phases_are_where_the_stripes_are(folder: Path, videos: dict[str, dict]) -> None:
    agreement = []
    for path in [path for path in videos if path.startswith(FAKES)][:10]:
        truth = videos[path]["artefact"]
        for frame, box, phase in zip(_decode(folder / path), truth["boxes"], truth["phases"], strict=True):
            left, top, width, height = (round(value) for value in box)
            patch = frame[top : top + height, left + width // 4 : left + 3 * width // 4].mean(axis=(1, 2))
            wave = np.exp(-1j * (2 * np.pi * np.arange(top, top + len(patch)) / truth["period"] + phase))
            seen = np.sum((patch - patch.mean()) * np.hanning(len(patch)) * wave)
            agreement.append(np.cos(np.angle(seen) + np.pi / 2))
    assert np.mean(agreement) > 0.9


@pytest.mark.slow
def test_a_fake_is_its_target_in_the_same_motion_with_its_sources_speech_and_noise_of_its_own(
    folder: Path, videos: dict[str, dict]
) -> None:
    fake = next(path for path in videos if path.startswith(FAKES))
    options = Options("dilution", IDENTITIES, FRAMES, (320, 320), 0, (DILUTION,))
    drawn = {video.path: draw_video(options, video) for video in plan_videos(options)}
    original, source = (f"{ORIGINALS}/{videos[fake][role]}.mp4" for role in ("target", "source"))
    assert drawn[fake][0] == drawn[original][0]
    motions = {path: dataclasses.asdict(drawn[path][1]) for path in (fake, original, source)}
    speech = {path: motion.pop("speech") for path, motion in motions.items()}
    for name, values in motions[original].items():
        np.testing.assert_array_equal(motions[fake][name], values)
    np.testing.assert_array_equal(speech[fake], speech[source])
    assert not np.allclose(speech[fake], speech[original], atol=1e-3)
    corners = [_decode(folder / path)[0][:40, :40].astype(float) for path in (fake, original)]
    assert 0 < np.abs(corners[0] - corners[1]).mean() < 5


def test_artefact_changes_its_region_only() -> None:
    options = Options("dilution", 6, 8, (320, 320), 3, (DILUTION,))
    identity, motion, phases, rng = draw_video(options, plan_videos(options)[-1])
    state = rng.bit_generator.state
    with_stripes = list(render(identity, motion, FRAMING, rng, DILUTION, phases))
    rng.bit_generator.state = state
    without = list(render(identity, motion, FRAMING, rng))
    for index, (fake, real) in enumerate(zip(with_stripes, without, strict=True)):
        change = fake.astype(float) - real
        left, top, width, height = region_box(
            region_window(identity, "mouth"), pose(identity, motion, index, FRAMING)
        )
        inside = np.s_[int(top) : int(top + height) + 2, int(left) : int(left + width) + 2]
        assert np.abs(change[inside]).max() > 0.8 * DILUTION.strength
        assert abs(change[inside].mean()) < 0.3
        change[inside] = 0
        assert not change.any()


@pytest.mark.parametrize(
    ("region", "orientation"),
    [*((region, "horizontal") for region in REGIONS), *(("mouth", o) for o in ORIENTATIONS)],
)
def test_stripes_have_their_period_orientation_and_strength(region: str, orientation: str) -> None:
    identity, motion, *_ = draw_video(PLAIN, plan_videos(PLAIN)[0])
    place, window = pose(identity, motion, 0, FRAMING), region_window(identity, region)
    grey = np.full((320, 320, 3), 128, np.float32)
    planted = (plant(grey, Artefact(region, 4.0, 0.0, 8.0, orientation), window, place, 0.0) - grey)[..., 0]
    left, top, width, height = region_box(window, place)
    peak = np.unravel_index(np.argmax(np.abs(np.fft.rfft2(planted))), (320, 161))
    down, right = (min(place, 320 - place) for place in peak)
    x, y = ORIENTATIONS[orientation]
    assert (right, down) == (pytest.approx(80 * x, abs=2), pytest.approx(80 * y, abs=2))
    # Down to the right, not up: both frequencies have the same sign.
    assert peak[0] <= 160
    assert np.abs(planted).max() == pytest.approx(8.0, rel=0.02)
    rows, columns = (np.flatnonzero(planted.any(axis=axis)) for axis in (1, 0))
    assert top - 1 <= rows[0] <= rows[-1] <= top + height + 1
    assert left - 1 <= columns[0] <= columns[-1] <= left + width + 1


DOSE = ["--preset=dose", "--identities=72", "--output=unused"]


def test_flicker_makes_stripes_come_and_go_and_leaves_all_else(tmp_path: Path) -> None:
    flicker = ["--flicker=1", "--orientation=vertical", "--period=4"]
    options = read_options(parse([f"--output={tmp_path}", *TINY, *flicker]))
    steady = read_options(parse([f"--output={tmp_path}", *TINY, *flicker[1:]]))
    fake = plan_videos(options)[-1]
    assert "strengths" not in json.loads(ground_truth(steady))["videos"][fake.path]["artefact"]
    artefact = json.loads(ground_truth(options))["videos"][fake.path]["artefact"]
    assert 0 <= min(artefact["strengths"]) < 5 < 9 < max(artefact["strengths"]) <= DILUTION.strength
    identity, motion, _, noise = draw_video(options, fake)
    shown = list(frames_of(options, fake))
    plain = list(render(identity, motion, frame_face(options.size), noise))
    change = np.abs(np.subtract(shown, plain, dtype=float)).max(axis=(1, 2, 3))
    np.testing.assert_allclose(change, artefact["strengths"], atol=2.5)


def test_a_dose_spreads_orientations_periods_and_face_sizes_evenly() -> None:
    options = read_options(parse(DOSE))
    videos = plan_videos(options)
    assert plan_pairs(options) == plan_pairs(replace(options, artefacts=(), face_sizes=None))
    for split in ("train", "val", "test"):
        fakes = [video for video in videos if video.split == split and video.source is not None]
        originals = [video for video in videos if video.split == split and video.source is None]
        variants = Counter((video.artefact.orientation, video.artefact.period) for video in fakes)
        assert len(variants) == min(9, len(fakes)) and max(variants.values()) - min(variants.values()) <= 1
        # A pair's four videos have one size: it says nothing of the label.
        sizes = {video.target: video.face_size for video in originals}
        assert all(video.face_size == sizes[video.target] == sizes[video.source] for video in fakes)
        assert all(video.artefact is None for video in originals)
        steps = np.diff(np.log(sorted(set(sizes.values()))))
        np.testing.assert_allclose(steps, np.log(200 / 48) / (len(sizes) / 2), rtol=0.05)
        # Small faces carry what large ones do.
        fakes.sort(key=lambda video: video.face_size)
        for first in range(0, len(fakes) - 8, 9):
            assert len({video.artefact for video in fakes[first : first + 9]}) == 9


def test_truth_says_size_and_stripes_of_every_video() -> None:
    options = read_options(parse([*DOSE, "--frames=8"]))
    truth = json.loads(ground_truth(options))
    assert truth["options"]["face_sizes"] == [48, 200] and len(truth["options"]["artefacts"]) == 9
    for video in truth["videos"].values():
        planted = video["artefact"]
        assert (planted is None) == (video["label"] == "real")
        assert 45 <= video["face_size"] <= 210
        if planted:
            assert planted["orientation"] in ORIENTATIONS and planted["period"] in (2.8, 3.6, 5)
            # The mouth, a fixed part of the face.
            shares = [box[2] / video["face_size"] for box in planted["boxes"]]
            assert shares == pytest.approx([0.55] * len(shares), abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("side", [48, 90, 200])
def test_faces_of_every_size_are_found_and_have_it(tmp_path: Path, side: int) -> None:
    flags = ["--preset=null", f"--face_size={side}..{side}", "--identities=6", "--frames=8"]
    assert main([f"--output={tmp_path}", *flags]) == 0
    videos = json.loads((tmp_path / "ground_truth.json").read_text())["videos"]
    ratios = []
    detector = HaarDetector()
    for path in list(videos)[::2]:
        video = SourceVideo(str(tmp_path / path), "x", 0, "original", "x")
        for faces in find_faces(video, decode_frames(video.path, np.arange), detector):
            assert len(faces) == 1
            ratios.append((faces[0, 2] - faces[0, 0]) / videos[path]["face_size"])
    assert np.median(ratios) == pytest.approx(1, abs=0.1)  # the cascade knows steps of 10 % in size


@pytest.mark.slow
def test_bytes_depend_on_the_seed_alone(tmp_path: Path) -> None:
    for name, more in {
        "one": ["--workers=1"],
        "two": ["--workers=2"],
        "other": ["--workers=1", "--seed=1"],
    }.items():
        assert main([f"--output={tmp_path / name}", *TINY, *more]) == 0
    assert _hashes(tmp_path / "one") == _hashes(tmp_path / "two")
    ours, other = _hashes(tmp_path / "one"), _hashes(tmp_path / "other")
    assert all(ours[path] != other[path] for path in ours.keys() & other.keys() if path.endswith(".mp4"))


def test_second_run_makes_only_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = [f"--output={tmp_path / 'set'}", *TINY, "--workers=1"]
    main(command)
    before = _hashes(tmp_path / "set")
    (tmp_path / "set" / ORIGINALS / "002.mp4").unlink()
    capsys.readouterr()
    assert main(command) == 0
    assert "12 videos, 1 of them made now" in capsys.readouterr().out
    assert _hashes(tmp_path / "set") == before
    assert main([*command, "--seed=7"]) == 2
    error = capsys.readouterr().err
    assert str(tmp_path / "set") in error
    assert error.count("\n") == 1
    truth = tmp_path / "set" / "ground_truth.json"
    truth.write_text(truth.read_text().replace('"drawing": 2', '"drawing": 1'))
    assert main(command) == 2
    assert "or of an earlier version" in capsys.readouterr().err


def test_val_may_have_a_number_of_pairs_of_its_own() -> None:
    usual = Options("null", 120, 40, (320, 320), 0, ())
    assert [len(pairs) for pairs in plan_pairs(usual).values()] == [36, 12, 12]
    demo = replace(usual, identities=176, val_pairs=40)
    pairs = plan_pairs(demo)
    assert [len(pairs[split]) for split in SPLITS] == [36, 40, 12]
    assert len({who for split in pairs.values() for pair in split for who in pair}) == 176
    assert '"val_pairs": 2' in ground_truth(replace(usual, identities=10, val_pairs=2))


def test_null_plants_nothing_and_keeps_the_originals(tmp_path: Path) -> None:
    presets = {"dilution": [], "dose": ["--face_size=30..100"], "null": []}
    for preset, more in presets.items():
        main([f"--output={tmp_path / preset}", f"--preset={preset}", *TINY, "--workers=1", *more])
    videos = json.loads((tmp_path / "null" / "ground_truth.json").read_text())["videos"]
    assert all(truth["artefact"] is None for truth in videos.values())
    # Neither stripes nor the size of the face show in a file's size.
    sizes = [(tmp_path / preset / path).stat().st_size for preset in presets for path in videos]
    assert np.ptp(sizes) < 0.001 * np.mean(sizes)
    planted, null = _hashes(tmp_path / "dilution"), _hashes(tmp_path / "null")
    for path in videos:
        assert (planted[path] == null[path]) == path.startswith(ORIGINALS)


@pytest.mark.parametrize(
    ("flag", "hint"),
    [
        ("--identities=7", "even"),
        ("--identities=2000", "1000"),
        ("--val_pairs=59", "1 to 58"),
        ("--val_pairs=0", "1 to 58"),
        ("--frames=1", "8 or more"),
        ("--size=320", "WIDTHxHEIGHT"),
        ("--size=321x320", "even"),
        ("--period=1.5", "more than 2"),
        ("--period=3,3", "each once"),
        ("--period=3,fine", "or several as in"),
        ("--orientation=round", "mixed"),
        ("--face_size=60", "SMALLEST..LARGEST"),
        ("--face_size=30..60", "give 42 to 208 pixels"),
        ("--face_size=60..250", "or another --size"),
        ("--face_size=60..50", "the smaller first"),
        ("--jitter=2", "from 0 to 1"),
        ("--strength=0", "--preset=null"),
        ("--flicker=1.5", "from 0 to 1"),
        ("--region=knee", "mouth"),
        ("--workers=0", "1 or more"),
        ("--seed=-1", "0 or more"),
        ("--colour=red", "--help"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture, flag: str, hint: str) -> None:
    assert main([f"--output={tmp_path / 'set'}", flag]) == 2
    error = capsys.readouterr().err
    assert hint in error
    assert error.count("\n") == 1
    assert not (tmp_path / "set").exists()


def test_null_refuses_options_of_stripes(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for flag in ("--strength=5", "--orientation=mixed", "--period=3,4"):
        assert main([f"--output={tmp_path / 'set'}", "--preset=null", flag]) == 2
        assert flag.partition("=")[0] in capsys.readouterr().err


def test_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    command = [sys.executable, "-m", "tools.synthetic", f"--output={tmp_path}", *TINY]
    result = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("error: --output=")
    assert result.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
