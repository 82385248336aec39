import json
from dataclasses import replace

import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import build
from deepfake_tfdata.records.metadata import find_conversion
from deepfake_tfdata.studies.options import StudyConfig
from deepfake_tfdata.studies.plan import Records, keep_plan, make_plan, plan_hash, require_scorable

FLAGS = {"regions": ("full", "mouth"), "heads": ("control",), "seeds": 2}


@pytest.fixture
def conversion(records):
    return find_conversion(records, ["full", "mouth"])


def plan_of(conversion, transfer=(), **flags):
    return make_plan(build(StudyConfig, {**FLAGS, **flags}), Records(conversion, transfer))


def test_a_plan_says_what_will_be_done(conversion):
    values = plan_of(conversion, margin=0.03, epochs=7, backbone="meso4").values
    assert [cell["name"] for cell in values["cells"]] == ["full/control", "mouth/control"]
    assert (values["primary"], values["secondary"]) == ("mouth/control:full/control", [])
    assert (values["seeds"], values["folds"], values["margin"]) == (2, 0, 0.03)
    assert (values["training"]["epochs"], values["training"]["backbone"]) == (7, "meso4")
    assert values["data"]["identity"] == conversion.identity
    assert values["data"]["videos"]["test"] == conversion.counts["test"]["planned"]
    # What a study decides for each run, and what decides no result, is not among it.
    assert not {"region", "view", "head", "seed", "fold", "workdir", "data", "steps_per_call"} & set(
        values["training"]
    )


def test_the_hash_is_of_all_of_it(conversion):
    plan = plan_of(conversion)
    values = dict(plan.values)
    assert values.pop("hash") == plan.hash == plan_hash(values) == plan_of(conversion).hash
    others = [
        plan_of(conversion, **flags)
        for flags in (
            {"seeds": 3},
            {"margin": 0.05},
            {"epochs": 5},
            {"patience": 2},
            {"folds": 3},
            {"robustness": False},
            {"heads": ("attention",)},
            {"primary": "full/control:mouth/control"},
            {"weights": "none"},
        )
    ]
    others += [plan_of(conversion, (conversion,)), plan_of(replace(conversion, plan="other"))]
    assert len({plan.hash, *(other.hash for other in others)}) == 12
    assert plan_of(conversion, strategy="single", data="elsewhere").hash == plan.hash


def test_the_content_of_a_weights_file_is_part_of_it(conversion, tmp_path):
    weights = tmp_path / "b1.weights.h5"
    hashes = []
    for content in (b"one", b"another"):
        weights.write_bytes(content)
        hashes.append(plan_of(conversion, weights=str(weights)).hash)
    assert hashes[0] != hashes[1]


def test_other_records_without_a_test_split_are_refused_before_anything_trains(conversion):
    counts = {**conversion.counts, "test": {**conversion.counts["test"], "real": 0, "fake": 0}}
    other = replace(conversion, plan="other", counts=counts)
    with pytest.raises(UserError, match="--transfer=there has no test split; convert it with one"):
        require_scorable("there", other, conversion)


def test_a_plan_is_kept_and_never_changed(conversion, tmp_path):
    plan = plan_of(conversion)
    keep_plan(tmp_path, plan)
    kept = (tmp_path / "plan.json").read_text()
    assert json.loads(kept) == plan.values
    keep_plan(tmp_path, plan_of(conversion))
    with pytest.raises(UserError, match=r"planned another study \(seeds was 2, now 3\)"):
        keep_plan(tmp_path, plan_of(conversion, seeds=3))
    with pytest.raises(UserError, match=r"\(training.epochs was 30, now 5\)"):
        keep_plan(tmp_path, plan_of(conversion, epochs=5))
    assert (tmp_path / "plan.json").read_text() == kept


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('"margin": 0.02', '"margin": 0.2'), "was edited after it was written"),
        (lambda text: text[:-20], "is damaged; put it back"),
        (lambda text: "[]", "is damaged; put it back"),
    ],
)
def test_an_edited_plan_is_refused(conversion, tmp_path, change, message):
    keep_plan(tmp_path, plan_of(conversion))
    path = tmp_path / "plan.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(UserError, match=message):
        keep_plan(tmp_path, plan_of(conversion))
