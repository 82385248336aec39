import numpy as np
import pytest

from deepfake_tfdata.video.track import follow_all, follow_face, overlap


def box(x, y, side):
    return np.array([x, y, x + side, y + side], np.float32)


def test_follows_the_large_persistent_face_and_not_a_flicker():
    detections = [np.stack([box(300, 50, 60), box(100 + 4 * t, 100, 100)]) for t in range(8)]
    detections[3] = np.stack([box(0, 0, 180)])  # one huge false alarm
    boxes, found = follow_face(detections)
    assert found.tolist() == [True] * 3 + [False] + [True] * 4
    np.testing.assert_array_equal(boxes[found][:, 0], [100 + 4 * t for t in range(8) if t != 3])


def test_two_crossing_faces_are_not_swapped():
    detections = []
    for time in range(12):
        ours, other = box(20 * time, 100, 110), box(240 - 20 * time, 180, 90)
        detections.append(np.stack([other, ours] if time % 2 else [ours, other]))
    boxes, found = follow_face(detections)
    assert found.all()
    np.testing.assert_array_equal(boxes[:, 0], 20.0 * np.arange(12))


def test_every_face_is_followed_the_largest_and_most_persistent_first():
    detections = [np.stack([box(300, 50, 60), box(100 + 4 * t, 100, 100)]) for t in range(8)]
    detections[3] = np.stack([box(0, 0, 30)])
    main, other, flicker = follow_all(detections)
    for mine, first in zip(main, follow_face(detections), strict=True):
        np.testing.assert_array_equal(mine, first)
    assert other[1].tolist() == [True] * 3 + [False] + [True] * 4
    assert np.flatnonzero(flicker[1]).tolist() == [3]


def test_no_detection_at_all_finds_no_face():
    assert not follow_face([np.zeros((0, 4), np.float32)] * 5)[1].any()


def test_two_faces_that_hide_one_another_keep_their_ways():
    # Both of one size; the one in front takes the other's box where they meet.
    detections = []
    for time in range(13):
        ours, other = box(20 * time, 100, 100), box(240 - 20 * time, 100, 100)
        detections.append(np.stack([other, ours]) if abs(time - 6) > 1 else other[None])
    # Ours is seen more often after all.
    detections[:2] = [box(20 * time, 100, 100)[None] for time in range(2)]
    detections[11:] = [box(20 * time, 100, 100)[None] for time in (11, 12)]
    boxes, found = follow_face(detections)
    assert boxes[found][[0, -1], 0].tolist() == [0, 240]
    assert (boxes[found, 0] == 20 * np.flatnonzero(found)).all()


def test_a_second_sight_of_the_same_face_starts_no_track():
    detections = [np.stack([box(100, 100, 80), box(96, 96, 92)][: 1 + time % 2]) for time in range(9)]
    detections[4] = box(96, 96, 92)[None]
    _, found = follow_face(detections)
    assert found.all()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_sights_of_one_face_the_larger_starts_and_the_likelier_goes_on(order):
    sights = np.stack([box(96, 96, 92), box(104, 104, 72)])[list(order)]
    boxes, _ = follow_face([sights])
    assert boxes.tolist() == [box(96, 96, 92).tolist()]
    boxes, _ = follow_face([box(104, 104, 70)[None], sights])
    assert boxes[1].tolist() == box(104, 104, 72).tolist()


def test_a_face_is_found_again_where_two_sights_say_that_it_goes():
    detections = [box(60 * time, 100, 100)[None] for time in range(5)]
    detections[2] = detections[3] = np.zeros((0, 4), np.float32)
    boxes, found = follow_face(detections)
    assert found.tolist() == [True, True, False, False, True]
    assert boxes[4].tolist() == box(240, 100, 100).tolist()


def test_never_jumps_to_a_face_elsewhere():
    detections = [box(100, 100, 80)[None]] * 6 + [box(300, 100, 90)[None]] * 5
    boxes, found = follow_face(detections)
    assert found.tolist() == [True] * 6 + [False] * 5
    assert (boxes[found, 0] == 100).all()


def test_overlap_is_intersection_over_union():
    assert overlap(box(0, 0, 10), box(0, 0, 10)) == pytest.approx(1)
    assert overlap(box(0, 0, 10), box(5, 0, 10)) == pytest.approx(1 / 3)
    assert overlap(box(0, 0, 10), box(20, 0, 10)) == 0
