"""What a run is: the options of every room that takes part in it."""

from dataclasses import dataclass
from pathlib import Path

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.options import InputOptions, parse_augmentations
from deepfake_tfdata.model.options import PUBLISHED, ModelOptions
from deepfake_tfdata.options import Options, group, option
from deepfake_tfdata.training.options import (
    DeviceOptions,
    LoopOptions,
    OptimizerOptions,
    StageOptions,
    StepOptions,
)


@dataclass(frozen=True)
class TrainConfig(Options):
    """A run: where it is kept, and the options of each room."""

    workdir: str = option(
        "",
        "of the run; runs/REGION_HEAD, or runs/REGION_VIEW_HEAD, if not given",
        is_path=True,
        may_change=True,
    )
    input: InputOptions = group(InputOptions)
    model: ModelOptions = group(ModelOptions)
    loop: LoopOptions = group(LoopOptions)
    optimizer: OptimizerOptions = group(OptimizerOptions)
    stages: StageOptions = group(StageOptions)
    step: StepOptions = group(StepOptions)
    devices: DeviceOptions = group(DeviceOptions)

    def __post_init__(self) -> None:
        super().__post_init__()
        if "://" in self.workdir:
            raise UserError(f"--workdir={self.workdir} is on object storage; use a local or mounted folder")
        if self.model.head == PUBLISHED and (self.stages.freeze_epochs or self.stages.cache_features):
            raise UserError(
                "--head=published leaves nothing to train beside the backbone; leave --freeze_epochs and "
                "--cache_features out"
            )
        if self.stages.cache_features:
            self._check_cache_features()

    @property
    def folder(self) -> Path:
        """The workdir, or what stands for it: runs/ with region, view, head and fold, as far as given."""
        fold = f"fold{self.input.fold.replace('/', 'of')}" if self.input.fold else ""
        parts = ("-".join(self.input.regions), self.input.view, self.model.head, fold)
        return Path(self.workdir or f"runs/{'_'.join(filter(None, parts))}")

    def _check_cache_features(self) -> None:
        epochs = self.loop.epochs
        if parse_augmentations(self.input.augment) or self.stages.freeze_epochs < epochs:
            raise UserError(
                "--cache_features needs a frozen backbone and frames that never change: add --augment=none "
                f"and --freeze_epochs={epochs}, or leave it out"
            )
        if self.input.pairs or self.input.balance != "none":
            raise UserError("--cache_features draws clips evenly; leave --balance and --pairs out")
        if "://" in self.input.data:
            raise UserError(f"--cache_features keeps them in --data={self.input.data}; use a local folder")
