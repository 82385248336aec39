import json

import numpy as np
import pytest

from tests.fakes import YUNET_MODEL
from tools.measure_regions.__main__ import holds, main
from tools.measure_regions.clips import MOTIONS
from tools.measure_regions.photos import Pose, annotated_photos, place, show


@pytest.mark.parametrize("photo", annotated_photos(), ids=lambda photo: photo.name)
@pytest.mark.parametrize("change", [{}, {"roll": 20}, {"yaw": 20, "pitch": -10}, {"side": 60}])
def test_marks_are_where_the_picture_shows_them(photo, change):
    # A pupil is darker than what is below the eye, wherever the head turns, and in a mirrored head, too.
    for each in (photo, photo.mirrored()):
        pose = Pose(**{"side": 200, "x": 160, "y": 150, **change})
        frame = show(each, pose, 320, 300).mean(axis=2)
        for pupil in place(each, each.eyes[:, 2:].mean(axis=1), pose):
            x, y = np.rint(pupil).astype(int)
            reach = round(pose.side / 40)
            inside = frame[y - reach : y + reach + 1, x - reach : x + reach + 1].min()
            below = frame[y + 6 * reach : y + 8 * reach, x - reach : x + reach + 1].mean()
            assert inside < below - 40


def test_a_box_holds_points_only_if_it_holds_all():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]])
    points = np.array([[(1, 1), (10, 10)], [(1, 1), (10.5, 5)], [(-1, 5), (5, 5)]])
    assert holds(boxes, points).tolist() == [True, False, False]


def test_a_head_swings_within_its_bounds():
    motion = next(each for each in MOTIONS if each.name == "zooming 2 times")
    poses = motion.poses(np.random.default_rng(0), 640, 480)
    assert poses[-1].side == pytest.approx(2 * poses[0].side)
    assert 1 < max(abs(pose.roll) for pose in poses) <= motion.roll


@pytest.mark.slow
def test_it_measures_both_detectors_and_writes_the_table(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tools.measure_regions.__main__.annotated_photos", lambda: annotated_photos()[:1])
    main(["--motions=talking", f"--detector_model={YUNET_MODEL}", f"--output={tmp_path / 'regions'}"])
    rows = json.loads((tmp_path / "regions.json").read_text())
    assert [row["detector"] for row in rows] == ["haar", "yunet"]
    for row in rows:
        for region in ("eyes", "mouth"):
            whole, points = row[region]
            # With the middle of the eyes at 30 % of the box, whole eyes lay in the strip in 52 to 59 %.
            assert 0.9 < whole <= points <= 1
        assert 0 < row["jitter"] < 0.05
    assert (tmp_path / "regions.md").read_text() == capsys.readouterr().out
