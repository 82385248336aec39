"""What a user may choose of a study."""

from dataclasses import dataclass

from deepfake_tfdata.clips.views import view_named
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.options import ComparisonOptions
from deepfake_tfdata.model.options import HEADS
from deepfake_tfdata.options import Options, group, option
from deepfake_tfdata.training.config import TrainConfig

MOST_SECONDARY = 5
NO_ARMS = "none"
# What a study decides for each of its runs.
_DECIDED = ("workdir", "region", "view", "head", "seed", "fold")


@dataclass(frozen=True)
class StudyOptions(Options):
    """The experiment."""

    workdir: str = option("runs/study", "folder of the study", is_path=True)
    regions: tuple[str, ...] = option(
        ("full", "mouth"),
        "what detectors look at: regions, or REGION.VIEW with a view of native records such as full.mouth",
    )
    heads: tuple[str, ...] = option(
        ("attention", "control"), "of the detectors; every region gets each", choices=HEADS
    )
    arms: str = option(
        NO_ARMS,
        "records whose views are the arms on dilution, with the first head; wide has two controls more",
        choices=(NO_ARMS, "full", "wide"),
    )
    retentions: tuple[str, ...] = option(
        (), "with --arms: shares of its pixels that the mouth is also reduced to, such as 0.25,0.5"
    )
    seeds: int = option(5, "runs of each detector", low=1, high=100)
    folds: int = option(
        0, "of a grouped cross-validation over all clips; 0 takes the records' splits", low=0, high=20
    )
    primary: str = option(
        "",
        "A:B, the comparison that decides, such as mouth/attention:full/control; with --arms the square "
        "mouth against the same reduced to the face's pixels",
    )
    secondary: tuple[str, ...] = option(
        (), f"at most {MOST_SECONDARY} further comparisons, A:B, judged together; with --arms its steps"
    )
    robustness: bool = option(
        True, "also score the primary's test clips compressed, blurred, noisy, smaller, with frames lost"
    )
    transfer: tuple[str, ...] = option(
        (), "folders of other records whose test splits are scored, too", is_path=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if "://" in self.workdir:
            raise UserError(f"--workdir={self.workdir} is on object storage; use a local or mounted folder")
        self._check_cells()
        if self.folds and self.transfer:
            raise UserError(
                "--folds and --transfer don't go together: a fold's detector knows a part of the people "
                "only; leave one out"
            )
        if self.folds in (1, 2):
            raise UserError(f"--folds={self.folds} leaves nothing to train on; use 3 or more")
        if len(self.secondary) > MOST_SECONDARY:
            raise UserError(
                f"--secondary has {len(self.secondary)} comparisons; choose {MOST_SECONDARY} at most"
            )

    @property
    def has_arms(self) -> bool:
        """Whether there are arms on dilution."""
        return self.arms != NO_ARMS

    def _check_cells(self) -> None:
        if not self.heads:
            raise UserError("--heads is empty; name at least one")
        if not self.regions and not self.has_arms:
            raise UserError(
                "--regions is empty, so that without --arms nothing would be trained; name at least one"
            )
        for each in self.regions:
            if view := each.partition(".")[2]:
                view_named(view)
        if self.retentions and not self.has_arms:
            raise UserError("--retentions are of the arms; add --arms=full")
        for share in self.retentions:
            view_named(f"mouth@{share}")


@dataclass(frozen=True)
class StudyConfig(Options):
    """A study, and what all its runs have in common."""

    study: StudyOptions = group(StudyOptions)
    comparison: ComparisonOptions = group(ComparisonOptions)
    train: TrainConfig = group(TrainConfig, without=_DECIDED)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.train.devices.strategy == "multi_worker":
            raise UserError("--strategy=multi_worker: a study runs on one machine; use another strategy")
