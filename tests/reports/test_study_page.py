import csv
import json
import re
from base64 import b64decode

import pytest

from deepfake_tfdata.reports.study_page import write_study
from tests.reports.html_checks import SCRIPT, check_html
from tests.reports.study_results import study_result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("study")
    write_study(place, study_result())
    return place


def test_the_verdict_comes_first_then_where_it_comes_from_then_the_tables(folder):
    text = (folder / "study.html").read_text()
    check_html(text)
    places = [
        text.index(part)
        for part in (
            "full.mouth/attention is better than full.mouth_reduced/attention: +0.050",
            ">Comparisons<",
            ">Where the difference comes from<",
            ">Detectors<",
            ">On worse pictures<",
            ">On other data<",
            ">Scores beside what should not matter<",
            ">The plan<",
        )
    ]
    assert places == sorted(places)
    assert "12% of the test videos have faces of at most 224 pixels" in text
    assert "0123456789ab" in text and "2026-01-02T03:04:05Z" in text


def test_every_comparison_is_named_with_its_verdict_and_kind(folder):
    text = re.sub(r"<[^>]+>", " ", (folder / "study.html").read_text())
    for words in (
        "+0.050 [+0.020, +0.080] better p &lt; 0.001 0.043 primary",
        "-0.040 [-0.070, -0.010] worse",
    ):
        assert words in " ".join(text.split())


def test_figures_lie_beside_the_page_with_their_numbers(folder):
    names = {path.stem for path in (folder / "figures").iterdir()}
    assert names == {
        "comparisons",
        "cells",
        "decomposition",
        "curve",
        "dose",
        "robustness-codec",
        "robustness-blur",
    }
    for name in names:
        for ending in ("png", "svg", "csv"):
            assert (folder / "figures" / f"{name}.{ending}").stat().st_size
    rows = list(csv.DictReader((folder / "figures" / "curve.csv").open()))
    found = [[float(row[key]) for key in ("x", "estimate")] for row in rows]
    assert found == [pytest.approx(point) for point in ([0.25, 0.75], [0.5, 0.8], [1, 0.9])]
    # A bin with too few videos has no place in the figure.
    assert len(list(csv.DictReader((folder / "figures" / "dose.csv").open()))) == 2
    # What the page offers for download is what lies beside it.
    found = re.search(r'download="curve.csv" href="data:[^,]*,([^"]*)"', (folder / "study.html").read_text())
    assert b64decode(found[1]) == (folder / "figures" / "curve.csv").read_bytes()


def test_the_result_is_written_whole(folder):
    assert json.loads((folder / "study.json").read_text()) == study_result()


def test_a_study_without_arms_has_no_steps(tmp_path):
    result = study_result() | {"decomposition": [], "curve": [], "robustness": [], "transfer": []}
    write_study(tmp_path, result)
    text = (tmp_path / "study.html").read_text()
    check_html(text)
    assert "Where the difference comes from" not in text and "By the size of faces" in text
    assert "On worse pictures" not in text and "On other data" not in text
    write_study(tmp_path, result | {"dose": [study_result()["dose"][-1]], "nuisances": []})
    assert "By the size of faces" not in (tmp_path / "study.html").read_text()


def test_strings_are_escaped_everywhere(tmp_path):
    result = study_result(f"{SCRIPT}{{}}", SCRIPT)
    write_study(tmp_path, result | {"notes": [SCRIPT]})
    check_html((tmp_path / "study.html").read_text())
