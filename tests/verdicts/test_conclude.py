"""From an examined video to its verdict."""

import json
from dataclasses import replace

import numpy as np
import pytest

from deepfake_tfdata.clips.inspected import Shot
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.calibration import combine, fit_calibration
from deepfake_tfdata.verdicts.conclude import basis_of, conclude
from deepfake_tfdata.verdicts.drawing import drawn_faces
from deepfake_tfdata.verdicts.ensemble import Ensemble
from deepfake_tfdata.verdicts.options import VerdictOptions
from deepfake_tfdata.verdicts.texts import headline, most_false_alarms, ratio_text
from tests.verdicts import made

# Of the detector that reads brightness: as the fakes of the calibration, as its real ones, and in between.
FAKE, REAL, BETWEEN = 150, 106, 128


def verdict_on(*faces, detectors=None, level=0.05, **changes):
    ensemble = Ensemble(detectors or (made.BrightnessDetector(made.calibration()),))
    basis = basis_of(
        ensemble,
        VerdictOptions(max_false_alarms=1000 * level),
        {"av": "17"},
        "python -m deepfake_tfdata.predict",
    )
    examined = made.examined(made.inspected(*faces, **changes))
    return conclude("clip.mp4", "in/clip.mp4", examined, ensemble, basis)


def test_a_face_that_scores_as_the_fakes_do_is_evidence():
    verdict, _ = verdict_on(made.face([FAKE, FAKE]))
    judgement = verdict.judgement
    assert judgement.verdict == "evidence_of_manipulation"
    assert judgement.p_real == pytest.approx(1 / 25)
    calibration = fit_calibration(made.reference())
    assert judgement.log10_likelihood_ratio == pytest.approx(
        calibration.log10_likelihood_ratio(np.array([2.2]))[0], abs=1e-6
    )
    assert judgement.false_alarms_in_a_thousand == pytest.approx(40)


def test_a_score_that_is_no_number_is_refused():
    broken = made.BrightnessDetector(made.calibration(), gain=np.nan)
    with pytest.raises(UserError, match="gives a score that is no number"):
        verdict_on(made.face([FAKE]), detectors=(broken,))


def test_it_asks_before_each_face_is_scored_whether_it_is_to_go_on():
    asked = []
    ensemble = Ensemble((made.BrightnessDetector(made.calibration()),))
    basis = basis_of(ensemble, VerdictOptions(), {}, "")
    examined = made.examined(made.inspected(made.face([FAKE]), made.face([REAL])))
    conclude("clip.mp4", "clip.mp4", examined, ensemble, basis, lambda: asked.append(None))
    assert len(asked) == 2


def test_a_detector_that_ranks_the_wrong_way_round_accuses_nobody():
    inverted = made.BrightnessDetector(made.calibration(reference=made.reference(separation=-4.0)))
    verdict, _ = verdict_on(made.face([255]), detectors=(inverted,))
    assert verdict.judgement.p_real <= 0.05 and verdict.judgement.log10_likelihood_ratio <= 0
    assert verdict.judgement.verdict == "no_evidence_found"


def test_posteriors_follow_bayes_at_three_priors():
    verdict, _ = verdict_on(made.face([FAKE]))
    ratio = 10**verdict.judgement.log10_likelihood_ratio
    assert verdict.judgement.posteriors == pytest.approx(
        {"0.01": ratio / (ratio + 99), "0.1": ratio / (ratio + 9), "0.5": ratio / (ratio + 1)}
    )


@pytest.mark.parametrize("brightness", [REAL, 118])
def test_another_face_is_no_evidence_and_nothing_is_called_real(brightness):
    verdict, _ = verdict_on(made.face([brightness]))
    assert verdict.judgement.verdict == "no_evidence_found"
    assert '"real"' not in json.dumps(verdict.to_dict())


def test_the_score_of_a_face_is_the_mean_probability_of_its_clips():
    verdict, _ = verdict_on(made.face([REAL, FAKE, FAKE]))
    (face,) = verdict.faces
    assert face.score == pytest.approx(np.mean([made.score_of(each) for each in (REAL, FAKE, FAKE)]))
    assert [clip.score for clip in face.clips] == pytest.approx(
        [made.score_of(REAL), made.score_of(FAKE), made.score_of(FAKE)]
    )
    assert [(clip.first, clip.last) for clip in face.clips] == [(0, 6), (4, 10), (8, 14)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"face_pixels": 30.0}, "30 pixels wide, and the detector was trained on 40 to 120"),
        ({"face_pixels": 400.0}, "400 pixels wide"),
        ({"coverage": 0.5}, "seen in 50% of the frames"),
        ({"motion": 2.0}, "stands still"),
        ({"clips": {"mouth": [], "eyes": []}}, "too few of the frames"),
    ],
)
def test_a_face_unlike_those_of_the_training_is_not_judged(changes, reason):
    verdict, _ = verdict_on(made.face([FAKE], **changes))
    assert verdict.judgement.verdict == "abstained"
    assert reason in verdict.judgement.reasons[0]
    assert verdict.judgement.log10_likelihood_ratio is None
    assert all(clip.log10_likelihood_ratio is None for clip in verdict.faces[0].clips)


def test_a_video_outside_the_training_s_compression_or_frame_rate_is_not_judged():
    video = made.inspected(made.face([FAKE]))
    ensemble = Ensemble((made.BrightnessDetector(made.calibration()),))
    basis = basis_of(ensemble, VerdictOptions(), {}, "")
    coarse = made.examined(replace(video, header={**video.header, "bits_a_pixel": 0.01}))
    verdict, _ = conclude("a", "a", coarse, ensemble, basis)
    assert "0.01 bits a pixel" in verdict.judgement.reasons[0]
    narrow = made.calibration(ranges={**made.RANGES, "frame_seconds": (0.3, 0.4)})
    verdict, _ = verdict_on(made.face([FAKE]), detectors=(made.BrightnessDetector(narrow),))
    assert "0.08 seconds apart" in verdict.judgement.reasons[0]


def test_what_is_not_known_of_a_video_is_not_held_against_it():
    video = made.inspected(made.face([FAKE]))
    images = made.examined(replace(video, header={**video.header, "bits_a_pixel": None}))
    ensemble = Ensemble((made.BrightnessDetector(made.calibration()),))
    verdict, _ = conclude("a", "a", images, ensemble, basis_of(ensemble, VerdictOptions(), {}, ""))
    assert verdict.judgement.verdict == "evidence_of_manipulation"


def test_a_score_unlike_both_classes_is_an_abstention():
    apart = made.calibration(reference=made.reference(separation=60.0))
    detector = made.BrightnessDetector(apart)
    verdict, _ = verdict_on(made.face([BETWEEN]), detectors=(detector,))
    assert verdict.judgement.verdict == "abstained"
    assert "unlike both" in verdict.judgement.reasons[0]


def test_without_a_calibration_there_is_no_verdict():
    verdict, _ = verdict_on(made.face([FAKE]), detectors=(made.BrightnessDetector(None),))
    assert verdict.judgement.verdict == "abstained"
    assert "evaluate --workdir=runs/mouth" in verdict.judgement.reasons[0]
    assert verdict.faces[0].score == pytest.approx(made.score_of(FAKE))


def test_a_calibration_on_too_few_people_accuses_nobody():
    few = made.calibration(reference=made.reference(num_people=10))
    verdict, _ = verdict_on(made.face([255]), detectors=(made.BrightnessDetector(few),))
    assert verdict.judgement.verdict == "abstained"
    assert "too few" in verdict.judgement.reasons[0] and "91" in verdict.judgement.reasons[0]


def test_every_face_more_is_one_more_chance_of_a_false_alarm():
    many = made.calibration(reference=made.reference(num_people=80))
    detector = made.BrightnessDetector(many)
    alone, _ = verdict_on(made.face([FAKE]), detectors=(detector,))
    both, _ = verdict_on(made.face([FAKE]), made.face([REAL], start=60), detectors=(detector,))
    assert both.judgement.p_real == pytest.approx(2 * alone.judgement.p_real)
    ratios = [10**each.judgement.log10_likelihood_ratio for each in both.faces]
    assert 10**both.judgement.log10_likelihood_ratio == pytest.approx(np.mean(ratios))
    assert [each.judgement.verdict for each in both.faces] == [
        "evidence_of_manipulation",
        "no_evidence_found",
    ]
    # A face that is not judged is no chance.
    blurred, _ = verdict_on(made.face([FAKE]), made.face([REAL], face_pixels=8.0), detectors=(detector,))
    assert blurred.judgement.p_real == pytest.approx(alone.judgement.p_real)
    assert blurred.judgement.reasons[0].startswith("face 2: its face is 8 pixels wide")


def test_a_face_that_may_matter_and_is_not_judged_leaves_no_room_for_no_evidence():
    small, large = {"face_pixels": 20.0}, {"face_pixels": 300.0}
    beside, _ = verdict_on(made.face([REAL]), made.face([REAL], start=60, **small))
    assert beside.judgement.verdict == "no_evidence_found"
    assert "in the faces judged, 1 of 2" in headline(beside.judgement)
    assert beside.to_dict()["propositions"]["manipulated"].startswith("one of the faces judged, 1 of 2,")
    behind, _ = verdict_on(made.face([REAL], **large), made.face([REAL], start=60))
    assert behind.judgement.verdict == "abstained"
    assert "300 pixels wide" in behind.judgement.reasons[0]
    # Evidence in one face needs no other.
    forged, _ = verdict_on(made.face([REAL], **large), made.face([FAKE], start=60))
    assert forged.judgement.verdict == "evidence_of_manipulation"


def test_a_small_face_that_scores_unlike_both_classes_is_not_passed_over():
    apart = made.calibration(reference=made.reference(num_people=80, separation=40.0))
    detector = made.BrightnessDetector(apart, gain=1.0)
    small = made.face([128], start=60, face_pixels=41.0)
    verdict, _ = verdict_on(made.face([108], face_pixels=110.0), small, detectors=(detector,))
    assert verdict.faces[0].judgement.verdict == "no_evidence_found"
    assert verdict.judgement.verdict == "abstained" and "unlike both" in verdict.judgement.reasons[0]


def test_a_tenth_beyond_the_training_is_judged_and_more_is_not():
    for pixels, judged in ((36.5, True), (35.5, False), (131.5, True), (132.5, False)):
        verdict, _ = verdict_on(made.face([FAKE], face_pixels=pixels))
        assert (verdict.judgement.verdict == "evidence_of_manipulation") is judged, pixels


def test_how_far_one_calibration_may_be_off_is_told_with_it():
    verdict, _ = verdict_on(made.face([FAKE]))
    # The largest of 24 uniform numbers is a beta(1, 24): its 97.5 % quantile.
    assert verdict.judgement.p_real_high == pytest.approx(1 - 0.025 ** (1 / 24))
    assert most_false_alarms(verdict.judgement) == "143"


def test_no_face_and_no_shot_that_is_long_enough_are_told_apart():
    nobody, _ = verdict_on()
    assert nobody.judgement.reasons == ("there is no face in it",)
    short, _ = verdict_on(shots=[Shot(0, 2, 0.0, 0.1, "3 frames, a clip needs 4")])
    assert short.judgement.reasons == ("no shot was looked at (3 frames, a clip needs 4)",)
    both, _ = verdict_on(shots=[Shot(0, 99, 0.0, 4.0), Shot(100, 102, 4.0, 4.1, "3 frames, a clip needs 4")])
    assert both.judgement.reasons[0] == "there is no face in what was looked at"


def test_what_was_not_looked_at_is_told_beside_a_verdict():
    shots = [Shot(0, 99, 0.0, 4.0), Shot(100, 102, 4.0, 4.1, "3 frames, a clip needs 4")]
    verdict, _ = verdict_on(made.face([REAL], windows_passed_over=2), shots=shots)
    assert verdict.judgement.verdict == "no_evidence_found"
    assert verdict.judgement.reasons == (
        "1 shots were not looked at (3 frames, a clip needs 4)",
        "2 clips more than --max_clips were passed over",
    )


def test_a_broken_file_has_a_verdict_too():
    ensemble = Ensemble((made.BrightnessDetector(made.calibration()),))
    broken = made.examined(None, status="unreadable", reason="the file is empty")
    verdict, exhibit = conclude(
        "a.mp4", "in/a.mp4", broken, ensemble, basis_of(ensemble, VerdictOptions(), {}, "")
    )
    values = json.loads(json.dumps(verdict.to_dict()))
    assert values["verdict"] == "abstained" and values["reasons"] == ["the file is empty"]
    assert values["status"] == "unreadable" and values["sha256"] == "ab" * 32
    assert not exhibit.pictures


def test_attention_is_told_of_every_frame_as_multiples_of_an_equal_share():
    verdict, _ = verdict_on(made.face([FAKE, FAKE]))
    frames = {frame.index: frame for frame in verdict.faces[0].frames}
    # The second frame of the first clip; the third of the first, which is the first of the second.
    assert frames[2].attention == pytest.approx(2.8)
    assert frames[4].attention == pytest.approx(0.4)
    assert frames[6].attention == pytest.approx((0.4 + 2.8) / 2)
    assert frames[4].box is None and frames[2].box == (90, 40, 150, 100)


def test_the_clip_that_scores_highest_is_explained():
    verdict, exhibit = verdict_on(made.face([REAL, FAKE, REAL]))
    frames = {frame.index: frame.evidence for frame in verdict.faces[0].frames}
    assert [frames[index] for index in (2, 4, 6, 8, 10, 12)] == [None, 1.5, 0.5, 0.0, -0.5, None]
    assert set(exhibit.maps) == {(0, 4), (0, 6), (0, 8), (0, 10)}
    first, second = (exhibit.maps[0, index].heat for index in (4, 6))
    # The upper left speaks, in the first frame twice as much, half as much as speaks against it in the lower
    # right; what is hidden was not seen.
    assert (first[4:8, 4:8] == 0.5).all() and (second[4:8, 4:8] == 0.25).all()
    assert (first[24:, 24:] == 0).all()
    assert (first[:4] == 0).all() and first.shape == (32, 32)
    assert exhibit.maps[0, 4].image.shape == (32, 32, 3)
    assert exhibit.maps[0, 4].box == (108, 72, 124, 84)  # where the network's square lies in the frame
    assert set(exhibit.crops) == {(0, index) for index in (0, 4, 8, 12)}  # of frames with a picture


class ResizedDetector(made.BrightnessDetector):
    """Of clips that were made squares when they were converted."""

    def explain(self, clip):
        return replace(super().explain(clip), view=None)


@pytest.mark.parametrize(("fit", "box"), [("stretch", (100, 60, 124, 84)), ("letterbox", (88, 60, 136, 108))])
def test_a_map_of_a_resized_clip_lies_on_all_of_its_square(fit, box):
    face = made.face([FAKE])
    if fit == "letterbox":  # half as wide as high in the frame: bars on both sides
        high = np.tile(np.float32([100, 60, 124, 108]), (4, 1))
        face = replace(face, clips={"mouth": [replace(face.clips["mouth"][0], boxes=high)]})
    detector = ResizedDetector(made.calibration(), spec=replace(made.SPEC, fit=fit))
    _, exhibit = verdict_on(face, detectors=(detector,))
    seen = exhibit.maps[0, 0]
    assert seen.box == box
    bars = seen.heat[:, :8]
    assert (bars.any(), seen.heat[4:8, 10:14].any()) == (fit == "stretch", True)


def test_detectors_that_judge_together_are_calibrated_together():
    references = [made.reference(seed=seed) for seed in (0, 1)]
    detectors = tuple(
        made.BrightnessDetector(made.calibration(reference=each), region, gain=gain)
        for each, region, gain in zip(references, ("mouth", "eyes"), (0.1, 0.05), strict=True)
    )
    verdict, _ = verdict_on(made.face([FAKE]), detectors=detectors)
    together = [
        float(fit_calibration(each).unbounded(np.array(logit)))
        for each, logit in zip(references, (2.2, 1.1), strict=True)
    ]
    expected = fit_calibration(combine(references)).log10_likelihood_ratio(np.array([np.mean(together)]))
    assert verdict.judgement.log10_likelihood_ratio == pytest.approx(expected[0], abs=1e-6)
    assert [each["regions"] for each in verdict.basis.model] == [["mouth"], ["eyes"]]


def test_detectors_of_different_clips_do_not_judge_together():
    other = made.BrightnessDetector(None, "eyes", ClipSpec(num_frames=8, frame_size=32))
    with pytest.raises(UserError, match="num_frames"):
        Ensemble((made.BrightnessDetector(None), other))


def test_a_detector_of_boxes_from_files_is_refused():
    with pytest.raises(UserError, match="boxes"):
        Ensemble((made.BrightnessDetector(None, spec=ClipSpec(num_frames=4, detector="boxes")),))


def test_clips_span_no_more_time_than_those_of_the_training():
    plan = Ensemble((made.BrightnessDetector(made.calibration()),)).plan(7)
    assert plan.longest_span == pytest.approx(3 * 0.4) and plan.max_windows == 7
    assert [region.name for region in plan.regions] == ["mouth"]


def test_faces_are_drawn_with_their_verdict_and_never_as_real():
    many = made.BrightnessDetector(made.calibration(reference=made.reference(num_people=80)))
    faces = [made.face([FAKE]), made.face([REAL], start=60), made.face([REAL], start=90, face_pixels=8.0)]
    verdict, _ = verdict_on(*faces, detectors=(many,))
    last, middle, first = drawn_faces(verdict)
    assert first.text.startswith("1: evidence of manipulation, LR ")
    assert middle.text.startswith("2: no evidence found, LR 1/") and last.text == "3: abstained"
    assert len({first.colour, middle.colour, last.colour}) == 3
    assert first.found.tolist() == [True, True, False, True]
    assert first.boxes[0].tolist() == [90, 40, 150, 100] and first.frame_indices.tolist() == [0, 2, 4, 6]


@pytest.mark.parametrize(
    ("log10", "text"),
    [(0.0, "1"), (1.29, "19.4"), (1.9983, "99.6"), (np.log10(20), "20"), (-1.0, "1/10"), (0.004, "1")],
)
def test_a_ratio_is_rounded_towards_one(log10, text):
    assert ratio_text(log10) == text
