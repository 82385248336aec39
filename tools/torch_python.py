"""Where PyTorch is: a Python of its own, so that it need not share an environment with TensorFlow."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# As tools/README.md makes it.
DEFAULT = ROOT / ".venv-torch" / "bin" / "python"


class MissingPython(Exception):
    """There is no Python with what is needed; the message says why in a few words."""


def torch_python(given: Path | None, modules: tuple[str, ...] = ("torch", "timm")) -> Path:
    """The interpreter to run PyTorch in: the given one, else that of `.venv-torch`, else this one.

    Raises:
        MissingPython: it can't be run, or lacks a module.
    """
    python = given.absolute() if given else (DEFAULT if DEFAULT.exists() else Path(sys.executable))
    code = "import importlib.util, sys; print(*(m for m in sys.argv[1:] if not importlib.util.find_spec(m)))"
    try:
        found = subprocess.run([python, "-c", code, *modules], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MissingPython(f"{python} can't be run") from error
    if missing := found.stdout.split():
        raise MissingPython(f"no {' and no '.join(missing)} in {python}")
    return python
