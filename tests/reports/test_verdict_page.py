"""The page of a verdict."""

import re

import pytest

from deepfake_tfdata.reports.verdict_page import verdict_page, write_verdict_page
from deepfake_tfdata.reports.verdicts_page import write_verdicts_page
from deepfake_tfdata.verdicts.conclude import basis_of, conclude
from deepfake_tfdata.verdicts.ensemble import Ensemble
from deepfake_tfdata.verdicts.options import VerdictOptions
from tests.reports.html_checks import SCRIPT, check_html
from tests.verdicts import made

LONG = "a_name_that_nowhere_has_a_place_to_break_" * 4


def concluded(*faces, calibrated=None, name="clip.mp4"):
    many = made.calibration(reference=made.reference(num_people=80))
    ensemble = Ensemble((made.BrightnessDetector(many if calibrated is None else calibrated),))
    basis = basis_of(
        ensemble, VerdictOptions(), {"av": "17"}, f"python -m deepfake_tfdata.predict --video={name}"
    )
    return conclude(name, f"in/{name}", made.examined(made.inspected(*faces)), ensemble, basis)


@pytest.fixture
def page():
    return verdict_page(*concluded(made.face([150, 140]), made.face([106], start=8, face_pixels=20.0)))


def test_the_page_says_what_an_analyst_expects(page):
    check_html(page)
    lead = page[page.index('class="lead"') :]
    assert lead.index("Evidence of manipulation") < lead.index("likelihood ratio")
    for text in (
        "of a thousand real videos like those of the calibration about 13 or fewer would",
        "One of the faces judged, 1 of 2, in this video was manipulated by Face2Face",
        "against: none of these was manipulated",
        "if 1% was held before",
        "if 10% was held before",
        "if 50% was held before",
        "ab" * 32,
        "h264",
        "python -m deepfake_tfdata.predict",
        "does not carry over to other generators",
        "80 groups of people",
        "Face 2: its face is 20 pixels wide, and the detector was trained on 40 to 120.",
    ):
        assert text in page, text


def test_the_tables_have_what_was_measured(page):
    faces = page[page.index("<h2>Faces</h2>") : page.index("<h2>Shots</h2>")]
    cells = re.findall(r"<t[hd][^>]*>([^<]*)", faces[faces.index("<tbody>") :])
    assert cells[:8] == ["1", "1", "0:00.00", "0:00.40", "60", "90%", "2", "0.834"]
    shots = page[page.index("<h2>Shots</h2>") : page.index("<h2>The file</h2>")]
    cells = re.findall(r"<t[hd][^>]*>([^<]*)", shots[shots.index("<tbody>") :])
    assert cells == ["1", "0:00.00", "0:07.96", "200", "examined"]
    assert "evidence is what 50 or fewer do on average" in page


def test_every_pictured_frame_can_be_chosen_and_shows_its_faces(page):
    inputs = re.findall(r'<input type="radio" name="moment" id="m(\d+)"', page)
    assert (
        inputs == re.findall(r'<label for="m(\d+)"', page) == re.findall(r'class="panel" id="p(\d+)"', page)
    )
    assert len(inputs) == 7 and page.count(" checked>") == 1
    first = page[page.index('id="p1"') : page.index('id="p2"')]
    # The face's box in percent of a picture of 320x180.
    assert 'id="p1f1"' in first
    assert "#p1f1 { left: 28.12%; top: 22.22%; width: 18.75%; height: 33.33%; }" in page
    # What the detector saw of the crop, in percent of the same.
    assert 'id="p1h1"' in first
    assert "#p1h1 { left: 33.75%; top: 40.00%; width: 5.00%; height: 6.67%; }" in page
    assert "as it was cut out" in first and "attention 0.400" in first
    assert "what spoke for a manipulation of face 1 in frame 0" in first
    assert page.count('class="nobody"') == 5  # frames 4 and 12, in which it was not found, and the last three


def test_no_video_is_called_real():
    verdict, exhibit = concluded(made.face([106]))
    page = verdict_page(verdict, exhibit)
    assert "No evidence of manipulation found" in page and "That does not make it real." in page


def test_an_abstention_says_why_first():
    uncalibrated = verdict_page(
        *concluded(made.face([150]), calibrated=made.calibration(ranges={"coverage": (1.1, 1.2)}))
    )
    lead = uncalibrated[uncalibrated.index('class="lead"') :]
    assert lead.startswith('class="lead">No verdict: its face is seen in 90% of the frames')
    assert "likelihood ratio</th><td" not in uncalibrated


def test_strings_are_escaped_everywhere():
    page = verdict_page(*concluded(made.face([150]), name=SCRIPT))
    check_html(page)
    assert "&lt;script&gt;" in page


def test_the_page_has_no_faults(chromium, tmp_path):
    verdict, exhibit = concluded(made.face([150, 140]), made.face([106], face_pixels=20.0), name=LONG)
    assert chromium.faults(write_verdict_page(tmp_path, verdict, exhibit)) == []


def test_many_verdicts_are_listed_with_the_strongest_first(chromium, tmp_path):
    found = {
        name: concluded(made.face([brightness]))[0].to_dict()
        for name, brightness in (("a.mp4", 106), ("b.mp4", 150), (f"{SCRIPT} {LONG}.mp4", 137))
    }
    found["c.mp4"] = concluded()[0].to_dict()
    page = write_verdicts_page(tmp_path, found)
    text = page.read_text()
    assert (
        text.index(">b.mp4<") < text.index("&lt;script&gt;") < text.index(">c.mp4<") < text.index(">a.mp4<")
    )
    assert "Evidence of manipulation 2, no evidence found 1, abstained 1." in text
    assert "there is no face in it" in text and 'href="b.mp4/verdict.html"' in text
    assert chromium.faults(page) == []
