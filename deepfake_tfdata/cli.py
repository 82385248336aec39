"""What every command shares: flags of its own, help, and mistakes answered in one line."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from absl import flags

from deepfake_tfdata.errors import UserError

COMMANDS = ("convert", "train", "evaluate")
_USAGE_ERROR = 2
_INTERRUPTED = 130


def run(
    main: Callable[[], None], flag_values: flags.FlagValues, help_text: str, argv: list[str] | None = None
) -> None:
    """Parses the flags, runs the command, and exits.

    Args:
        main: the command; it reads its flags, already parsed.
        flag_values: the command's own flags; no other command's can get among them.
        help_text: printed above the flags by --help.
        argv: program name and arguments; sys.argv by default.
    """
    argv = sys.argv if argv is None else argv
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a terminal that knows no é ends nothing
    if "--help" in argv or "-h" in argv:
        print(f"{help_text.strip()}\n\nFlags:\n{_flag_help(flag_values)}")
        sys.exit(0)
    # A preempted machine's SIGTERM ends a command as Ctrl-C does: what it half wrote is taken away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    status = 0
    try:
        _, *arguments = flag_values(argv)
        if arguments:
            raise UserError(f"unexpected argument '{arguments[0]}'; every option is a flag, --name=value")
        _import_tensorflow()
        main()
    except flags.Error as error:
        status = _fail(f"{error}; try --help", _USAGE_ERROR)
    except UserError as error:
        status = _fail(str(error), _USAGE_ERROR)
    except KeyboardInterrupt:
        status = _fail("interrupted; run the same command again to go on", _INTERRUPTED)
    leave(status)


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


def required(flag: flags.FlagHolder[str | None]) -> str:
    """The value of a flag that has no default; UserError where it is missing."""
    if not flag.value:
        raise UserError(f"--{flag.name} is missing; try --help")
    return flag.value


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


def _import_tensorflow() -> None:
    """Imports TensorFlow without its start-up notes, which would bury a command's own line of error.

    They are written to the descriptor, before any log level is looked at; a failing import still raises.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Records are read one by one; of gs:// TensorFlow would read 64 MB each time, and hold it in memory.
    os.environ.setdefault("GCS_READ_CACHE_BLOCK_SIZE_MB", "4")
    sys.stderr.flush()
    saved = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        # Listing the devices is what looks for CUDA, and complains on every machine without.
        import_module("tensorflow").config.list_physical_devices()
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _flag_help(flag_values: flags.FlagValues) -> str:
    lines = []
    for name in flag_values:
        flag = flag_values[name]
        default = "" if flag.default is None else f" (default: {flag.default_as_str.strip(chr(39))})"
        lines.append(f"  --{name}: {flag.help}{default}")
    return "\n".join(lines)


def _fail(message: str, status: int) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return status
