"""What every README.md says of flags, values, defaults, files and names is what the code has."""

import ast
import functools
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deepfake_tfdata.audit import AuditConfig
from deepfake_tfdata.compare import CompareConfig
from deepfake_tfdata.convert import ConvertConfig
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluate import EvaluateConfig
from deepfake_tfdata.explain import ExplainConfig
from deepfake_tfdata.export import ExportConfig
from deepfake_tfdata.options import Option, all_options
from deepfake_tfdata.predict import PredictConfig
from deepfake_tfdata.serve import ServeConfig
from deepfake_tfdata.studies.options import StudyConfig
from deepfake_tfdata.training.config import TrainConfig
from tests.test_architecture import ALLOWED

ROOT = Path(__file__).parent.parent
COMMANDS = {
    "convert": ConvertConfig,
    "audit": AuditConfig,
    "train": TrainConfig,
    "evaluate": EvaluateConfig,
    "compare": CompareConfig,
    "study": StudyConfig,
    "explain": ExplainConfig,
    "predict": PredictConfig,
    "serve": ServeConfig,
    "export": ExportConfig,
}
# Flags of programs that are not ours, in commands that the READMEs show.
FOREIGN = {"tensorboard": {"logdir"}}
MAX_LINES = 200
_FLAG = re.compile(r"(?<![\w-])--([a-z]\w*)(?:=([^\s`]+))?")
# The one form for a default: the flag in backticks, then its default in brackets.
_DEFAULT = re.compile(r"`--(\w+)` \(([^)]*)\)")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# Stands for what the reader fills in: DIR, FILE.onnx, CLIP_ID, $run.
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_,]*\d?(\.\w+)?|.*\$.*")


def tracked(pattern: str) -> list[str]:
    command = ["git", "ls-files", pattern]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


READMES = tracked("*README.md")


@dataclass(frozen=True)
class Page:
    """A README taken apart.

    Attributes:
        folder: that it stands in.
        prose: all but the fenced blocks.
        python: the blocks of Python.
        commands: the lines of the other blocks, continued ones joined, and commands within the prose.
    """

    folder: Path
    prose: str
    python: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    @property
    def code_spans(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.prose)


@functools.cache
def page(name: str) -> Page:
    text = (ROOT / name).read_text(encoding="utf-8")
    found = Page((ROOT / name).parent, _FENCE.sub("", text))
    for language, body in _FENCE.findall(text):
        if language == "python":
            found.python.append(body)
        else:
            found.commands.extend(body.replace("\\\n", " ").splitlines())
    found.commands.extend(span for span in found.code_spans if span.startswith("python -m "))
    return found


@functools.cache
def tool_flags() -> dict[str, set[str]]:
    """The flags of every module in tools, read off its calls; `add` is add_argument under a short name."""
    flags: dict[str, set[str]] = {}
    for path in tracked("tools/*.py"):
        module = path.removesuffix(".py").removesuffix("/__main__").replace("/", ".")
        calls = re.findall(r'\badd(?:_argument)?\(\s*"--(\w+)"', (ROOT / path).read_text(encoding="utf-8"))
        flags[module] = set(calls)
    return flags


@functools.cache
def command_options(command: str) -> dict[str, Option]:
    return {each.name: each for each in all_options(COMMANDS[command])}


def options_named(name: str) -> list[Option]:
    """The options of that name: two commands may have one each, with defaults of their own."""
    return [options[name] for options in map(command_options, COMMANDS) if name in options]


def tokens_of_command(line: str) -> list[str]:
    """The words of a line in a block; none where it is no command."""
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # such as "don't" in a drawing
        return []


def program_of(tokens: list[str]) -> str:
    """What a line runs: a module of ours, a console script's command, or a program's name."""
    for first, second in zip(tokens, [*tokens[1:], ""], strict=True):
        if first == "-m" or (first == "deepfake-tfdata" and second in COMMANDS):
            return second.removeprefix("deepfake_tfdata.")
    return tokens[0] if tokens else ""


def parsed(kind: type, text: str) -> Any:
    """A value as a command line would give it; ValueError where it is no such value."""
    if kind is bool:
        return {"true": True, "false": False}[text.lower()]
    return tuple(text.split(",")) if kind is tuple else kind(text)


def wrong_value(options: list[Option], value: str) -> str:
    """Why no option takes a value; '' where one does, or where the reader is to fill it in."""
    if not options or not value or _PLACEHOLDER.fullmatch(value):
        return ""
    reasons = []
    for each in options:
        try:
            each.check(parsed(each.kind, value))
            return ""
        except (UserError, ValueError, KeyError) as error:
            reasons.append(f"--{each.name}={value}: {error}")
    return reasons[0]


@pytest.mark.parametrize("name", READMES)
def test_every_flag_exists_and_takes_the_value(name):
    # A shell script compares its argument with its flag.
    of_scripts = set(re.findall(r"== --(\w+)", (ROOT / "tools/test.sh").read_text()))
    known = set().union(*map(command_options, COMMANDS), *tool_flags().values(), of_scripts, {"help"})
    for flag, value in _FLAG.findall(page(name).prose):
        assert flag in known, f"{name}: no command and no tool has --{flag}"
        if options := options_named(flag):
            # Of `--a`s or `--a=b,` what follows is the sentence's.
            assert not wrong_value(options, value.rstrip(".,;:)")), name


@pytest.mark.parametrize("name", READMES)
def test_every_flag_in_a_command_is_that_commands_own(name):
    for line in page(name).commands:
        tokens = tokens_of_command(line)
        program = program_of(tokens)
        options = command_options(program) if program in COMMANDS else {}
        own = {*options} | tool_flags().get(program, set()) | FOREIGN.get(program, set()) | {"help"}
        for token in tokens:
            if match := _FLAG.match(token):
                flag, _, value = token.removeprefix("--").partition("=")
                assert match[1] in own, f"{name}: '{program}' has no --{flag}"
                assert not wrong_value([options[flag]] if flag in options else [], value), name


@pytest.mark.parametrize("name", READMES)
def test_every_stated_default_is_the_options(name):
    for flag, stated in _DEFAULT.findall(page(name).prose):
        options = options_named(flag)
        assert options, f"{name}: a default of --{flag}, which no command has"
        defaults = [each.default for each in options]
        values = [parsed(each.kind, stated) for each in options]
        assert any(value == default for value, default in zip(values, defaults, strict=True)), (
            f"{name}: --{flag} ({stated}), but its default is {defaults}"
        )


def anchors(path: Path) -> set[str]:
    """The headings of a page as GitHub names them in links."""
    headings = re.findall(r"^#+ (.*)$", page(str(path.relative_to(ROOT))).prose, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", READMES)
def test_every_relative_link_leads_somewhere(name):
    for link in _LINK.findall(page(name).prose):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page(name).folder / path).resolve() if path else ROOT / name
        assert target.exists(), f"{name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{name}: {link} names no heading"


def looks_like_a_path(span: str, folder: Path) -> bool:
    """Whether it can only be a file or folder of ours: records, runs and data sets have paths, too."""
    if not re.fullmatch(r"\.?\w[\w./*-]*", span):
        return False
    first, slash, _ = span.partition("/")
    if slash and any(has_tracked_files(place / first) for place in (folder, ROOT)):
        return True
    return span.endswith((".py", ".sh", ".toml"))


@functools.cache
def has_tracked_files(folder: Path) -> bool:
    return bool(tracked(f"{folder.relative_to(ROOT)}/*"))


@pytest.mark.parametrize("name", READMES)
def test_every_path_in_backticks_exists(name):
    folder = page(name).folder
    words = [word for span in page(name).code_spans for word in span.split()]
    words += [word for line in page(name).commands for word in tokens_of_command(line)]
    for word in words:
        # The one script of somebody else's that a command names.
        if looks_like_a_path(word, folder) and word != "download-FaceForensics.py":
            assert any(next(place.glob(word), None) for place in (folder, ROOT)), f"{name}: no {word}"


def has_name(dotted: str) -> bool:
    """Whether a dotted name is a module of ours, or stands in the module before its last dot."""
    path = ROOT / dotted.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module, _, last = dotted.rpartition(".")
    home = ROOT / module.replace(".", "/")
    file = home / "__init__.py" if home.is_dir() else home.with_suffix(".py")
    return file.is_file() and bool(re.search(rf"\b{last}\b", file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", READMES)
def test_every_module_and_name_of_ours_exists(name):
    found = page(name)
    text = " ".join([*found.code_spans, *found.commands])
    dotted = re.findall(r"(?<![\w./])(?:deepfake_tfdata|tools|tests)(?:\.[a-zA-Z_]\w*)+", text)
    for block in found.python:
        for node in ast.walk(ast.parse(block)):  # a block that does not compile ends the test here
            if isinstance(node, ast.ImportFrom) and node.module.startswith("deepfake_tfdata"):
                dotted += [f"{node.module}.{each.name}" for each in node.names]
    for each in dotted:
        assert has_name(each), f"{name}: no {each}"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_the_readmes_table_of_folders_has_the_arrows_of_the_code():
    row = r"^\| \[`deepfake_tfdata/(\w+)/`\].*\|([\w, ]*)\|$"
    rows = re.findall(row, page("README.md").prose, re.MULTILINE)
    arrows = {room: {each.strip() for each in cell.split(",") if each.strip()} for room, cell in rows}
    assert arrows == ALLOWED


@pytest.mark.parametrize("room", [*ALLOWED, "../tools"])
def test_every_room_has_a_readme_of_its_own(room):
    assert (ROOT / "deepfake_tfdata" / room / "README.md").is_file()
