import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.studies.cells import (
    Cell,
    Contrast,
    cells_of,
    exploratory_of,
    primary_of,
    secondary_of,
)
from deepfake_tfdata.studies.options import StudyOptions


def names(**options):
    return [cell.name for cell in cells_of(StudyOptions(**options))]


def told(**options):
    study = StudyOptions(**options)
    cells = cells_of(study)
    primary = primary_of(study, cells)
    return primary.name, [each.name for each in secondary_of(study, cells, primary)]


def test_every_region_gets_every_head():
    assert names(regions=("full", "full.mouth"), heads=("attention", "control")) == [
        "full/attention",
        "full/control",
        "full.mouth/attention",
        "full.mouth/control",
    ]
    assert Cell("full", "mouth", "control").folder == "full.mouth_control"


def test_arms_are_views_of_one_record_with_the_first_head():
    assert names(regions=(), heads=("control", "attention"), arms="full", retentions=("0.25", "1")) == [
        "full.whole/control",
        "full.mouth_only/control",
        "full.mouth_reduced/control",
        "full.mouth/control",
        "full.mouth@0.25/control",
    ]
    wide = names(regions=("full",), heads=("control",), arms="wide")
    assert wide[0] == "full/control" and wide[-2:] == ["wide.control/control", "wide.background/control"]


def test_a_cell_that_is_asked_for_twice_is_one():
    assert names(regions=("full.mouth",), heads=("control",), arms="full").count("full.mouth/control") == 1


def test_what_decides():
    assert told(regions=("full", "mouth"), heads=("control",)) == ("mouth/control:full/control", [])
    primary, secondary = told(regions=(), heads=("attention",), arms="full")
    assert primary == "full.mouth/attention:full.mouth_reduced/attention"
    assert secondary == [
        "full.mouth_reduced/attention:full.mouth_only/attention",
        "full.mouth_only/attention:full.whole/attention",
        "full.mouth/attention:full.whole/attention",
    ]
    given = {"primary": "mouth/control:full/attention", "secondary": ("full/control:full/attention",)}
    assert told(**given) == (given["primary"], list(given["secondary"]))
    # With the arms, another comparison may decide: the first step is then among the others.
    primary, secondary = told(arms="full", primary="mouth/control:full/control")
    assert primary == "mouth/control:full/control" and len(secondary) == 4


def test_the_rest_is_set_against_the_reference():
    study = StudyOptions(primary="mouth/attention:full/control")
    cells = cells_of(study)
    primary = primary_of(study, cells)
    rest = exploratory_of(cells, [primary])
    assert [each.name for each in rest] == ["full/attention:full/control", "mouth/control:full/control"]
    assert exploratory_of(cells, [primary, *rest]) == []
    assert primary == Contrast("mouth/attention", "full/control")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "--primary is missing; name the comparison that decides, such as mouth/control:full/attention"),
        (
            {"primary": "mouth/control"},
            "--primary=mouth/control is no A:B of two cells; choose from full/att",
        ),
        ({"primary": "mouth/control:eyes/control"}, "is no A:B of two cells"),
        ({"primary": "mouth/control:mouth/control"}, "sets mouth/control against itself; name two cells"),
        (
            {"primary": "mouth/control:full/control", "secondary": ("mouth/control:full/control",)},
            "compares two cells that another comparison has; leave it out",
        ),
    ],
)
def test_a_comparison_that_is_none_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        told(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": ()}, "--heads is empty; name at least one"),
        ({"regions": ()}, "--regions is empty, so that without --arms nothing would be trained"),
        ({"regions": ("full.nose",)}, "view=nose is unknown"),
        ({"retentions": ("0.5",)}, "--retentions are of the arms; add --arms=full"),
        ({"arms": "full", "retentions": ("2",)}, "mouth@2 has no retention"),
        ({"arms": "face"}, "--arms=face is unknown; choose from none, full, wide"),
        ({"folds": 2}, "--folds=2 leaves nothing to train on; use 3 or more"),
        ({"secondary": tuple("abcdef")}, "--secondary has 6 comparisons; choose 5 at most"),
        ({"workdir": "s3://bucket/study"}, "is on object storage; use a local or mounted folder"),
    ],
)
def test_options_that_make_no_study_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        StudyOptions(**options)
