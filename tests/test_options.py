"""Options stand once: flags, help, files and checks follow from them."""

import dataclasses
import json
import math
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata import cli
from deepfake_tfdata.audit import AuditConfig
from deepfake_tfdata.compare import CompareConfig
from deepfake_tfdata.convert import ConvertConfig
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluate import EvaluateConfig
from deepfake_tfdata.explain import ExplainConfig
from deepfake_tfdata.export import ExportConfig
from deepfake_tfdata.options import Options, all_options, build, flat, group, groups_of, option, options_of
from deepfake_tfdata.predict import PredictConfig
from deepfake_tfdata.serve import ServeConfig
from deepfake_tfdata.storage import expanded
from deepfake_tfdata.studies.options import StudyConfig
from deepfake_tfdata.training.config import TrainConfig

COMMANDS = (
    ConvertConfig,
    AuditConfig,
    TrainConfig,
    EvaluateConfig,
    CompareConfig,
    StudyConfig,
    ExplainConfig,
    PredictConfig,
    ServeConfig,
    ExportConfig,
)


@dataclass(frozen=True)
class Inner(Options):
    """The inner ones."""

    share: float = option(0.5, "of it", low=0, below=1)
    words: tuple[str, ...] = option(("a", "b"), "to say")


@dataclass(frozen=True)
class Outer(Options):
    """All of them."""

    place: str = option(meaning="where")
    kind: str = option("one", "which", choices=("one", "two"))
    limit: int | None = option(None, "at most", low=1)
    rate: float = option(0.1, "how fast", above=0, below=10, may_change=True)
    fast: bool = option(False, "in a hurry")
    plain: int = 7  # a field that is no option
    inner: Inner = group(Inner)


def parsed(*flags):
    return cli.parse(Outer, ["program", *flags])


def test_flags_become_options_of_their_types_and_groups():
    options = parsed("--place=here", "--limit=3", "--fast", "--share=0.25", "--words=x,y", "--kind=two")
    assert options == Outer("here", "two", 3, fast=True, inner=Inner(0.25, ("x", "y")))
    assert parsed("--place=here") == Outer("here")
    assert parsed("--place=here", "--nofast", "--words=").inner.words == ()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--place is missing"),
        (["--kind=three"], "--kind=three is unknown; choose from one, two"),
        (["--limit=0"], "--limit=0 is out of range; use 1 or more"),
        (["--rate=0"], "--rate=0.0 is out of range; use more than 0, below 10"),
        (["--rate=nan"], "--rate=nan is out of range"),
        (["--share=1"], "--share=1.0 is out of range; use 0 to below 1"),
        (["--words=x,,y"], "--words=x,,y has nothing between two commas or at an end"),
        (["--words=x,"], "--words=x, has nothing between two commas or at an end"),
        (["--words=x, y, x"], "--words=x,y,x has x 2 times; name it once"),
        (["stray"], "unexpected argument 'stray'"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_use(flags, message):
    with pytest.raises(UserError) as error:
        parsed(*(["--place=here"] if flags else []), *flags)
    assert message in str(error.value)


@dataclass(frozen=True)
class Limits(Options):
    """Some of every kind."""

    level: int = option(3, "of all", low=0, high=9)
    speed: float = option(1.0, "how fast", above=0)
    sides: tuple[str, ...] = option((), "where", choices=("left", "right"))
    text: str = option("~/x", "to say")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"level": 10}, "--level=10 is out of range; use 0 to 9"),
        ({"level": -1}, "--level=-1 is out of range; use 0 to 9"),
        ({"speed": 0}, "--speed=0 is out of range; use more than 0"),
        ({"sides": ("left", "up")}, "--sides=up is unknown; choose from left, right"),
    ],
)
def test_a_range_ends_where_it_says_and_every_text_of_a_list_is_a_choice(values, message):
    for level in (0, 9):
        assert Limits(level, sides=("left", "right")).text == "~/x"  # names no path
    with pytest.raises(UserError) as error:
        Limits(**values)
    assert str(error.value) == message


@pytest.mark.parametrize("config", COMMANDS)
def test_a_leading_tilde_is_the_users_home_in_every_option_that_names_a_path(config, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    paths = {each.name for each in all_options(config) if each.is_path}
    speaking = re.compile(r"folder|\bfile\b|FILE|of the run$")
    assert paths >= {each.name for each in all_options(config) if speaking.search(each.meaning)}
    for name in paths:
        holder = next(each for each in holders(config) if name in {o.name for o in options_of(each)})
        texts = {str: lambda text: text, tuple: lambda text: (text,)}
        kinds = {o.name: texts[o.kind] for o in options_of(holder) if o.kind in texts}
        required = {
            o.name: kinds[o.name]("x.json") for o in options_of(holder) if o.default is dataclasses.MISSING
        }
        # Each takes one of two.
        either = holder in (AuditConfig, PredictConfig) and name != "video"
        more = {"source": "x.json"} if either else {}
        for text, path in (("~/a b.json", "/home/me/a b.json"), ("./~/a.json", "./~/a.json")):
            made = holder(**{**required, **more, name: kinds[name](text)})
            assert getattr(made, name) == kinds[name](path)


def holders(config):
    yield config
    for _, inner, _ in groups_of(config):
        yield from holders(inner)


def test_a_home_of_nobody_and_a_url_stay_as_they_are():
    for name in ("~nobody-of-that-name/x", "gs://bucket/~/x", ""):
        assert expanded(name) == name


def test_blanks_after_commas_make_no_difference():
    spaced, plain = (
        cli.parse(TrainConfig, ["train", *(flag.replace(",", comma) for flag in flags)])
        for flags in [["--region=full,mouth", "--augment=flip,colour", "--balance=original:2,Face2Face:1"]]
        for comma in (", ", ",")
    )
    assert spaced == plain
    assert spaced.input.regions == ("full", "mouth")
    assert parsed("--place=here", "--words=x, y").inner.words == ("x", "y")


def test_the_same_values_are_refused_from_python():
    with pytest.raises(UserError, match="--rate=-1 is out of range"):
        Outer("here", rate=-1)


lists_of_texts = st.lists(st.text().filter(str.strip), max_size=3, unique=True).map(tuple)


@given(
    st.builds(
        Outer,
        place=st.text(),
        kind=st.sampled_from(["one", "two"]),
        limit=st.none() | st.integers(1, 99),
        rate=st.floats(0, 10, exclude_min=True, exclude_max=True),
        fast=st.booleans(),
        inner=st.builds(Inner, st.floats(0, 1, exclude_max=True), lists_of_texts),
    )
)
def test_a_file_of_options_gives_them_back(options):
    assert build(Outer, json.loads(json.dumps(flat(options)))) == options


def test_what_is_unknown_is_passed_over_and_what_is_missing_has_its_default():
    assert build(Inner, {"share": 0.1, "place": "here"}) == Inner(0.1)


def test_help_shows_groups_with_meaning_range_and_default(capsys):
    with pytest.raises(SystemExit):
        cli.run(print, Outer, "Does things.", ["program", "--help"])
    text = capsys.readouterr().out
    assert text.startswith("Does things.")
    assert "\nThe inner ones:\n  --share: of it (0 to below 1; default: 0.5)\n" in text
    assert "--place: where (required)" in text
    assert "--kind: which (one of one, two; default: one)" in text
    assert "plain" not in text


@pytest.mark.parametrize("config", COMMANDS)
def test_every_option_of_a_command_has_a_meaning_a_name_of_its_own_and_a_default_that_is_allowed(config):
    options = list(all_options(config))
    assert len({each.name for each in options}) == len(options)
    for each in options:
        assert each.meaning
        if isinstance(each.default, (str, int, float, tuple)):
            each.check(each.default)
            assert isinstance(each.default, each.kind)


def test_only_what_computes_nothing_may_change_when_a_run_is_resumed():
    assert {each.name for each in all_options(TrainConfig) if each.may_change} == {
        "cache_dir",
        "checkpoint_steps",
        "data",
        "data_service",
        "epochs",
        "patience",
        "profile_steps",
        "steps_per_call",
        "strategy",
        "workdir",
    }


def test_names_that_options_offer_are_those_that_exist():
    from deepfake_tfdata.input.augment import OPERATIONS
    from deepfake_tfdata.input.options import AUGMENTATIONS
    from deepfake_tfdata.model.backbones import BUILDERS
    from deepfake_tfdata.model.heads import HEADS as REGISTERED
    from deepfake_tfdata.model.options import BACKBONES, HEADS

    assert tuple(OPERATIONS) == AUGMENTATIONS
    assert tuple(BUILDERS) == BACKBONES
    assert tuple(REGISTERED) == HEADS


def test_python_has_the_same_defaults_as_the_flags():
    from inspect import signature

    from deepfake_tfdata import build_detector, load_clips

    defaults = {each.name: each.default for each in all_options(TrainConfig)}
    arguments = signature(build_detector).parameters
    for name in ("backbone", "head", "weights", "lstm_units", "dropout", "share_backbone"):
        assert arguments[name].default == defaults[name]
    assert signature(load_clips).parameters["batch_size"].default == defaults["batch_size"]
    assert not math.isnan(TrainConfig().optimizer.learning_rate)
    assert str(TrainConfig().folder) == "runs/mouth_attention"


@pytest.mark.slow
def test_a_mistake_needs_no_tensorflow(tmp_path):
    # Importing it takes longer than anybody wants to wait for a typing error.
    mistakes = {
        "convert": ["--source=nowhere", f"--output={tmp_path}"],
        "train": [f"--data={tmp_path}"],
        "evaluate": [f"--workdir={tmp_path}"],
        "compare": [f"--first={tmp_path}", f"--second={tmp_path}"],
        "explain": [f"--workdir={tmp_path}"],
        "export": [f"--workdir={tmp_path}", "--format=onnx", f"--output={tmp_path}/export"],
    }
    code = (
        "import importlib, json, sys\n"
        "for name, flags in json.loads(sys.argv[1]).items():\n"
        "    for arguments in (flags, ['--nonsense=1'], ['--help']):\n"
        "        try:\n"
        "            importlib.import_module('deepfake_tfdata.' + name).run([name, *arguments])\n"
        "        except SystemExit as error:\n"
        "            assert error.code == (0 if arguments == ['--help'] else 2), (name, arguments)\n"
        "        assert not {'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules), (name, arguments)\n"
    )
    subprocess.run([sys.executable, "-c", code, json.dumps(mistakes)], check=True, capture_output=True)


@pytest.mark.parametrize(
    "flags",
    [
        ["--workdir=a,b c", "--output=out", "--source=in", "--annotate", "--max_false_alarms=20.0"],
        ["--workdir=a", "--output=out", "--video=x.mp4,it's.mp4"],
    ],
)
def test_the_command_that_is_told_is_one_that_does_the_same(flags):
    config = cli.parse(PredictConfig, ["predict", *flags])
    program, *rest = shlex.split(cli.command_line("predict", config))
    assert [program, *rest[:2]] == ["python", "-m", "deepfake_tfdata.predict"]
    assert sorted(rest[2:]) == sorted(flags)
    assert cli.parse(PredictConfig, rest[1:]) == config
