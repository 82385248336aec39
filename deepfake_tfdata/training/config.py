"""What a run is: its configuration, kept beside its results so that it can be resumed and evaluated."""

import dataclasses
import json
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from deepfake_tfdata.clips.spec import require_same_spec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import write_json
from deepfake_tfdata.input.augment import parse_augmentations
from deepfake_tfdata.training.checkpoints import CHECKPOINTS, list_checkpoints
from deepfake_tfdata.training.loop_config import parse_profile_steps
from deepfake_tfdata.training.optimization import OptimizerConfig

CONFIG_FILE = "config.json"
# These may differ when a run is resumed: they change how long or where it runs, not what it computes.
_MAY_CHANGE = {
    "epochs",
    "patience",
    "data",
    "workdir",
    "strategy",
    "cache_dir",
    "data_service",
    "steps_per_call",
    "profile_steps",
    "checkpoint_steps",
}


@dataclass(frozen=True)
class TrainConfig:
    """The fields are the flags of `train`."""

    data: str
    workdir: str
    region: str
    share_backbone: bool
    head: str
    backbone: str
    weights: str
    lstm_units: int
    dropout: float
    epochs: int
    patience: int
    batch_size: int
    optimizer: OptimizerConfig
    cache_features: bool
    freeze_epochs: int
    finetune_layers: int
    finetune_learning_rate: float
    label_smoothing: float
    accumulation: int
    frame_size: int
    augment: str
    balance: str
    pairs: bool
    skip_corrupt: bool
    cache_dir: str
    data_service: str
    steps_per_call: int
    profile_steps: str
    checkpoint_steps: int
    strategy: str
    jit_compile: bool
    precision: str
    seed: int
    deterministic: bool

    def __post_init__(self) -> None:
        at_least_one = ("epochs", "patience", "batch_size", "accumulation", "steps_per_call")
        for name in (*at_least_one, "checkpoint_steps"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name}={getattr(self, name)} is out of range; use 1 or more")
        for name in ("freeze_epochs", "finetune_layers"):
            if getattr(self, name) < 0:
                raise UserError(f"--{name}={getattr(self, name)} is out of range; use 0 or more")
        parse_augmentations(self.augment)
        parse_profile_steps(self.profile_steps)
        if self.cache_features:
            self._check_cache_features()
        if not 0 <= self.seed < 2**31:
            raise UserError(f"--seed={self.seed} is out of range; use 0 to {2**31 - 1}")
        if not 0 < (rate := self.finetune_learning_rate) < 10:
            raise UserError(f"--finetune_learning_rate={rate} is out of range; use more than 0, below 10")
        if "://" in self.workdir:
            raise UserError(f"--workdir={self.workdir} is on object storage; use a local or mounted folder")
        if not 0 <= self.label_smoothing < 1:
            raise UserError(f"--label_smoothing={self.label_smoothing} is out of range; use 0 to below 1")

    def _check_cache_features(self) -> None:
        if parse_augmentations(self.augment) or self.freeze_epochs < self.epochs:
            raise UserError(
                "--cache_features needs a frozen backbone and frames that never change: add --augment=none "
                f"and --freeze_epochs={self.epochs}, or leave it out"
            )
        if self.pairs or self.balance != "none":
            raise UserError("--cache_features draws clips evenly; leave --balance and --pairs out")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        """Reads what dataclasses.asdict wrote."""
        return cls(**{**values, "optimizer": OptimizerConfig(**values["optimizer"])})

    @property
    def regions(self) -> list[str]:
        """The regions it looks at."""
        return self.region.split(",")

    @property
    def flags(self) -> dict[str, Any]:
        """The values by the name of their flag."""
        values = dataclasses.asdict(self)
        return {**values, **values.pop("optimizer")}


@dataclass(frozen=True)
class Run:
    """What config.json holds.

    Attributes:
        config: the flags.
        precision: the policy that --precision came to.
        spec: of the clips it trains on, as ClipSpec.to_dict gives it.
        spec_hash: its hash.
        plan: a fingerprint of which videos are in which split.
        clips: a fingerprint of the train clips and where they lie.
        parameters: counts of the detector's weights.
        flops_per_clip: operations of a forward pass, two a multiply-add.
        versions: of the packages that decide the numbers.
        revision: of the project's git checkout; '' where there is none.
    """

    config: TrainConfig
    precision: str
    spec: dict[str, Any]
    spec_hash: str
    plan: str
    clips: str
    parameters: dict[str, int]
    flops_per_clip: int
    versions: dict[str, str]
    revision: str


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
        values = json.loads(path.read_text(encoding="utf-8"))
        return Run(**{**values, "config": TrainConfig.from_dict(values["config"])})
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{path} is damaged; train again into a new --workdir") from None


def write_run(run: Run) -> None:
    """Writes WORKDIR/config.json."""
    write_json(Path(run.config.workdir) / CONFIG_FILE, dataclasses.asdict(run))


def require_resumable(run: Run) -> None:
    """Refuses to go on in a workdir that was made with other clips or other flags.

    Raises:
        UserError: it names what differs.
    """
    workdir = Path(run.config.workdir)
    if not (workdir / CONFIG_FILE).is_file():
        return
    earlier = read_run(workdir)
    if not list_checkpoints(workdir / CHECKPOINTS):
        return  # it ended before anything was learnt, perhaps for a flag that is now put right
    require_same_spec(earlier.spec, run.spec, f"the run in {workdir}", f"the records in {run.config.data}")
    if (earlier.plan, earlier.clips) != (run.plan, run.clips):
        raise UserError(
            f"{workdir} was trained on other clips than {run.config.data} holds; choose another --workdir"
        )
    if earlier.precision != run.precision:
        raise UserError(
            f"{workdir} was trained in {earlier.precision}, not {run.precision}; "
            f"add --precision={earlier.precision}"
        )
    may_change = set(_MAY_CHANGE)
    if run.config.optimizer.schedule != "constant":
        may_change.remove("epochs")  # the schedule is as long as they are
    flags = run.config.flags
    for name, before in earlier.config.flags.items():
        now = flags[name]
        if name not in may_change and before != now:
            raise UserError(
                f"{workdir} was trained with --{name}={before}, not {now}; choose another --workdir"
            )


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
