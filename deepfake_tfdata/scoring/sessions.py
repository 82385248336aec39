"""The processes that trained a run, one after another: which code, on what."""

import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True)
class Session:
    """A process that trained a run from a step on, until the next one did or to its end.

    Attributes:
        step: how many the run had behind it.
        revision: of the project's git checkout; '' where there is none.
        versions: of the packages that decide the numbers.
        devices: such as '2 x NVIDIA L4'.
    """

    step: int
    revision: str
    versions: dict[str, str]
    devices: str


def this_session(step: int, devices: str) -> Session:
    """This process."""
    return Session(step, git_revision(), package_versions(), devices)


def continued(earlier: Sequence[Session], session: Session) -> tuple[Session, ...]:
    """The sessions of a run that one goes on with; what the earlier ones did after its step is made again."""
    return (*(each for each in earlier if each.step < session.step), session)


def describe_sessions(sessions: Sequence[Session]) -> dict[str, str]:
    """What each of revision, devices and versions was, such as '2.20.0, from step 120 on 2.21.0'."""
    values = [{"revision": each.revision, "devices": each.devices, **each.versions} for each in sessions]
    steps = [each.step for each in sessions]
    names = dict.fromkeys(name for each in values for name in each)
    return {name: _history(steps, [each.get(name, "") for each in values]) for name in names}


def _history(steps: Sequence[int], values: Sequence[str]) -> str:
    changes = [
        f"from step {step} on {value or 'unknown'}" if step else value or "unknown"
        for step, value, before in zip(steps, values, (None, *values), strict=False)
        if value != before
    ]
    return ", ".join(changes)


def git_revision() -> str:
    """The commit that this code is of, with '+' where files were changed since; '' outside a checkout."""
    here = Path(__file__).parent
    describe = ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(describe, cwd=here, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # no git
        return ""


def package_versions() -> dict[str, str]:
    """The versions of what decides a run's numbers."""
    packages = ("deepfake-tfdata", "tensorflow", "keras", "numpy")
    versions = {package: metadata.version(package) for package in packages}
    return {"python": platform.python_version(), **versions}
