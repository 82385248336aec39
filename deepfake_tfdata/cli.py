"""What every command shares: flags made of its options, help, and mistakes answered in one line."""

import dataclasses
import logging
import os
import shlex
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, TypeVar

from absl import flags

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Option, Options, all_options, build, flat, groups_of, options_of

COMMANDS = (
    "convert",
    "audit",
    "train",
    "evaluate",
    "compare",
    "study",
    "explain",
    "predict",
    "serve",
    "export",
)
_USAGE_ERROR = 2
_INTERRUPTED = 130
_HELP_WIDTH = 100
_Config = TypeVar("_Config", bound=Options)
_DEFINE: dict[type, Callable[..., Any]] = {
    str: flags.DEFINE_string,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    bool: flags.DEFINE_boolean,
    tuple: flags.DEFINE_list,
}


def run(
    main: Callable[[_Config], int | None],
    config: type[_Config],
    help_text: str | None,
    argv: list[str] | None = None,
) -> None:
    """Makes a command's configuration of its flags, runs it, and exits.

    Args:
        main: the command; the status that it returns is the process's.
        config: its options; each is a flag.
        help_text: printed above the flags by --help.
        argv: program name and arguments; sys.argv by default.
    """
    argv = sys.argv if argv is None else argv
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal without é
    if "--help" in argv or "-h" in argv:
        say(f"{(help_text or '').strip()}\n{''.join(_help(config))}")
        sys.exit(0)
    # A preempted machine's SIGTERM ends a command as Ctrl-C does: what it half wrote is taken away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    status = 0
    try:
        status = main(parse(config, argv)) or 0
    except flags.Error as error:
        status = _fail(f"{error}; try --help", _USAGE_ERROR)
    except UserError as error:
        status = _fail(str(error), _USAGE_ERROR)
    except KeyboardInterrupt:
        status = _fail("interrupted; run the same command again to go on", _INTERRUPTED)
    leave(status)


def command_line(name: str, config: Options) -> str:
    """The command that has these options; those that are as they are by default are left out."""
    values, flags_given = flat(config), []
    for each in all_options(type(config)):
        value = values[each.name]
        if value == each.default:
            continue
        if each.kind is bool:
            flags_given.append(f"--{each.name}" if value else f"--no{each.name}")
        else:
            flags_given.append(f"--{each.name}={','.join(value) if each.kind is tuple else value}")
    return shlex.join(["python", "-m", f"deepfake_tfdata.{name}", *flags_given])


def parse(config: type[_Config], argv: list[str]) -> _Config:
    """The options that a command line gives; the others have their defaults.

    Raises:
        UserError, flags.Error: a flag that is unknown or missing, or a value that is not allowed.
    """
    values = flags.FlagValues()  # type: ignore[no-untyped-call]
    for each in all_options(config):
        default = None if each.default is dataclasses.MISSING else each.default
        default = list(default) if isinstance(default, tuple) else default
        _DEFINE[each.kind](each.name, default, each.meaning, flag_values=values)
    _, *arguments = values(argv)
    if arguments:
        raise UserError(f"unexpected argument '{arguments[0]}'; every option is a flag, --name=value")
    return build(config, {name: values[name].value for name in values if values[name].value is not None})


def main() -> None:
    """The console script: `deepfake-tfdata COMMAND --flags`."""
    _, *arguments = sys.argv
    if not arguments or arguments[0] not in COMMANDS:
        asked_for_help = bool(arguments) and arguments[0] in ("--help", "-h", "help")
        print(
            f"usage: deepfake-tfdata {{{','.join(COMMANDS)}}} --flags (try COMMAND --help)", file=sys.stderr
        )
        sys.exit(0 if asked_for_help else _USAGE_ERROR)
    command, *rest = arguments
    import_module(f"deepfake_tfdata.{command}").run([f"deepfake-tfdata {command}", *rest])


def say(line: str) -> None:
    """Prints a line of a command's result; hours of work don't end because nobody reads it (`| head`)."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def leave(status: int) -> None:
    """Ends the process with that status; just returns for 0."""
    if "tensorflow_io" in sys.modules:
        # Its destructors abort at exit ("pure virtual method called"), which would report a failure.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    if status:
        sys.exit(status)


def _help(
    config: type[Options], title: str = "Flags", without: frozenset[str] = frozenset()
) -> Iterator[str]:
    """A paragraph a group: its title, then its flags, each with its meaning, range and default."""
    own = [each for each in options_of(config) if each.name not in without]
    if own:
        yield f"\n{title}:\n" + "".join(_flag_help(each) for each in own)
    for _, inner, hidden in groups_of(config):
        yield from _help(inner, (inner.__doc__ or "").splitlines()[0].rstrip("."), without | hidden)


def _flag_help(each: Option) -> str:
    facts = [f"one of {', '.join(each.choices)}"] if each.choices else []
    facts += [each.range] if each.range else []
    if each.default is dataclasses.MISSING:
        facts.append("required")
    elif each.default not in (None, "", ()):
        shown = ",".join(each.default) if each.kind is tuple else str(each.default).lower()
        facts.append(f"default: {shown if each.kind in (bool, tuple) else each.default}")
    text = f"--{each.name}: {each.meaning}" + (f" ({'; '.join(facts)})" if facts else "")
    return textwrap.fill(text, _HELP_WIDTH, initial_indent="  ", subsequent_indent="      ") + "\n"


def _fail(message: str, status: int) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return status
