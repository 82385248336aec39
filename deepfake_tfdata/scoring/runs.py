"""What a run leaves of itself beside its results, so that it can be resumed and its detector be used."""

import json
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import write_json
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.options import build

CONFIG_FILE = "config.json"
MODEL_FILE = "model.keras"


@dataclass(frozen=True)
class Run:
    """What config.json holds.

    Attributes:
        config: the options of `train` by name.
        precision: the policy that --precision came to.
        spec: of the clips it trains on, as ClipSpec.to_dict gives it.
        spec_hash: its hash.
        plan: a fingerprint of which videos are in which split.
        provenance: where they come from, as conversion.json has it.
        data: the identity of all that together; see Conversion.
        clips: a fingerprint of the train clips and where they lie.
        parameters: counts of the detector's weights.
        flops_per_clip: operations of a forward pass, two a multiply-add.
        versions: of the packages that decide the numbers.
        revision: of the project's git checkout; '' where there is none.
    """

    config: dict[str, Any]
    precision: str
    spec: dict[str, Any]
    spec_hash: str
    plan: str
    provenance: dict[str, Any]
    data: str
    clips: str
    parameters: dict[str, int]
    flops_per_clip: int
    versions: dict[str, str]
    revision: str

    @property
    def name(self) -> str:
        """Such as 'mouth/attention'."""
        return f"{self.config['region']}/{self.config['head']}"

    @property
    def input(self) -> InputOptions:
        """Which clips it read, and how."""
        return build(InputOptions, self.config)


def read_run(workdir: Path) -> Run:
    """Reads WORKDIR/config.json.

    Raises:
        UserError: there is none, or it is damaged.
    """
    path = workdir / CONFIG_FILE
    if not path.is_file():
        raise UserError(
            f"no trained model in {workdir}; run 'python -m deepfake_tfdata.train --workdir={workdir}'"
        )
    try:
        run = Run(**json.loads(path.read_text(encoding="utf-8")))
        _ = run.name, run.input
    except (ValueError, TypeError, KeyError, AttributeError, UserError):
        raise UserError(f"{path} is damaged; train again into a new --workdir") from None
    return run


def write_run(workdir: Path, run: Run) -> None:
    """Writes WORKDIR/config.json."""
    write_json(workdir / CONFIG_FILE, vars(run))


def git_revision() -> str:
    """The commit that this code is of, with '+' where files were changed since; '' outside a checkout."""
    here = Path(__file__).parent
    try:
        describe = ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
        return subprocess.run(describe, cwd=here, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def package_versions() -> dict[str, str]:
    """The versions of what decides a run's numbers."""
    packages = ("deepfake-tfdata", "tensorflow", "keras", "numpy")
    versions = {package: metadata.version(package) for package in packages}
    return {"python": platform.python_version(), **versions}
