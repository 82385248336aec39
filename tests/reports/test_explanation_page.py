"""The page of a run's explanations, and pictures with maps over them."""

import io
import json

import numpy as np
from PIL import Image

from deepfake_tfdata.evaluation.explanation_figures import BASELINES
from deepfake_tfdata.reports.explanation_page import write_explanation
from deepfake_tfdata.reports.overlays import enlarged, with_map
from tests.reports.explanations import explanation
from tests.reports.html_checks import SCRIPT, check_html


def test_the_page_says_all_figures_and_is_well_formed(tmp_path):
    result, examples = explanation(SCRIPT)
    write_explanation(tmp_path, result, examples, title=SCRIPT)
    page = (tmp_path / "explanation.html").read_text()
    check_html(page)
    assert "The class-activation map finds more than chance: yes." in page
    for figure in result["figures"].values():
        assert f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]" in page
    for name, words in BASELINES.items():
        each = result["figures"]["occlusion_pointing"]["baselines"][name]
        assert f"more than {words}, {each['value']:.3f}: ".capitalize() in page.replace("&#39;", "'")
    assert "The white box is" in page
    assert "Attention is not localisation" in page
    assert json.loads((tmp_path / "explanation.json").read_text()) == result


def test_one_group_of_people_gives_figures_without_intervals(tmp_path):
    result, examples = explanation("run", count=2, with_truth=False)
    assert result["figures"]["all_pasted"]["low"] is None
    write_explanation(tmp_path, result, examples, title="run")
    page = (tmp_path / "explanation.html").read_text()
    check_html(page)
    assert "can&#39;t be said of fewer than two independent people" in page
    assert "The white box is" not in page


def test_a_map_colours_what_speaks_for_fake_and_against_it():
    picture = np.full((2, 2, 3), 100, np.uint8)
    shown = with_map(picture, np.array([[0.0, 2.0], [-2.0, 1.0]])).astype(int)
    assert shown[0, 0].tolist() == [100, 100, 100]
    assert shown[0, 1, 0] > shown[1, 1, 0] > 100 > shown[0, 1, 2]  # the redder the more
    assert shown[1, 0, 0] < 100 < shown[1, 0, 2]
    assert (with_map(picture, np.zeros((2, 2))) == picture).all()


def test_a_box_is_drawn_in_the_pictures_own_pixels():
    picture = np.zeros((20, 40, 3), np.uint8)
    drawn = np.asarray(Image.open(io.BytesIO(enlarged(picture, 80, np.array([10.0, 5.0, 30.0, 15.0])))))
    rows, columns = np.nonzero(drawn[..., 0])
    assert drawn.shape == (40, 80, 3)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 30, 20, 60)
