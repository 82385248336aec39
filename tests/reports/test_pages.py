"""The templates: shipped, strict, escaped."""

import fnmatch
from base64 import b64decode
from pathlib import Path

import jinja2
import pytest
from matplotlib.figure import Figure

from deepfake_tfdata.reports import pages
from deepfake_tfdata.reports.pages import Picture, render
from deepfake_tfdata.reports.plots import Plot
from tests.reports.html_checks import SCRIPT, check_html

TEMPLATES = Path(pages.__file__).parent / "templates"


def test_a_name_that_is_a_script_stays_text():
    text = render("comparison.html", title=SCRIPT, lead=SCRIPT, rows=[], warnings=[], notes=[SCRIPT])
    check_html(text)
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 4  # the title stands twice


def test_a_value_that_is_missing_is_no_empty_place():
    with pytest.raises(jinja2.UndefinedError, match="notes"):
        render("comparison.html", title="", lead="", rows=[], warnings=[])


@pytest.mark.parametrize("path", sorted(TEMPLATES.iterdir()), ids=lambda path: path.name)
def test_every_page_has_the_one_style_and_takes_no_html_unescaped(path):
    text = path.read_text()
    assert "|safe" not in text.replace(" ", "") and "autoescape" not in text
    if path.name != "base.html":
        assert "<style" not in text and "style=" not in text
    assert text.startswith(("<!DOCTYPE html>", '{% extends "base.html" %}', "{#"))


def test_the_templates_are_part_of_the_package():
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["deepfake_tfdata.reports"]
    files = [f"templates/{path.name}" for path in TEMPLATES.iterdir()]
    assert "templates/base.html" in files
    assert all(any(fnmatch.fnmatch(file, pattern) for pattern in patterns) for file in files)


@pytest.mark.parametrize(("content", "kind"), [(b"\x89PNG\r\n", "png"), (b"\xff\xd8\xff", "jpeg")])
def test_a_picture_is_a_url_that_holds_it(content, kind):
    assert Picture("", content).uri.startswith(f"data:image/{kind};base64,")


def test_a_plot_has_its_files_beside_it():
    plot = Plot(Figure(), "Nothing", [{"a": [1], "b": [2]}])
    picture = Picture.of(plot, "roc", "a curve")
    assert (picture.content, picture.alt) == (plot.png, "a curve")
    files = {
        kind: (name, b64decode(uri.partition(",")[2])) for kind, (name, uri) in picture.downloads.items()
    }
    assert files == {"numbers (CSV)": ("roc.csv", b"a,b\n1,2\n"), "SVG": ("roc.svg", plot.svg)}
    assert b"<title>Nothing</title>" in plot.svg
    assert picture.downloads["SVG"][1].startswith("data:image/svg+xml;base64,")
    assert picture.downloads["numbers (CSV)"][1].startswith("data:text/csv;charset=utf-8;base64,")
    assert Picture("a photograph", b"\xff\xd8\xff").downloads == {}
