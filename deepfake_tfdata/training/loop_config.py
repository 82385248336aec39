"""How long a run is, and where its steps are interrupted."""

from dataclasses import dataclass
from pathlib import Path

from deepfake_tfdata.errors import UserError


@dataclass(frozen=True)
class LoopConfig:
    """How long to train, when to save, and when to stop.

    Attributes:
        workdir: where metrics, checkpoints and the best model go.
        epochs: at most.
        patience: epochs without a better validation before stopping.
        batch_size: over all replicas.
        steps_per_epoch: batches.
        steps_per_call: steps made without coming back to Python, at most.
        profile_steps: the first and the last step, from 1, to write a profile of; None writes none.
        checkpoint_steps: steps between checkpoints inside an epoch; one is saved after every epoch too.
        label_smoothing, accumulation, jit_compile: of the step, see make_train_steps.
        skipped_clips: damaged ones that the run goes without, for its metrics.
    """

    workdir: Path
    epochs: int
    patience: int
    batch_size: int
    steps_per_epoch: int
    steps_per_call: int
    profile_steps: tuple[int, int] | None
    checkpoint_steps: int
    label_smoothing: float
    accumulation: int
    jit_compile: bool
    skipped_clips: int

    def __post_init__(self) -> None:
        """Raises UserError for a profile that begins after the run's end."""
        steps = self.epochs * self.steps_per_epoch
        if self.profile_steps and self.profile_steps[0] > steps:
            first, last = self.profile_steps
            raise UserError(
                f"--profile_steps={first},{last} begins after the run's {steps} steps; use earlier ones"
            )

    def next_call(self, step: int) -> tuple[int, bool]:
        """How many steps to make after `step` of them, and whether to write a profile of these.

        A call goes no further than the next checkpoint, the end of the epoch, or the step before a profile;
        a profile is one call, however many steps it has.
        """
        in_epoch = step % self.steps_per_epoch
        to_checkpoint = self.checkpoint_steps - in_epoch % self.checkpoint_steps
        longest = min(to_checkpoint, self.steps_per_epoch - in_epoch)
        first, last = self.profile_steps or (0, 0)
        if step + 1 == first:
            return min(longest, last - step), True
        to_profile = first - 1 - step if first > step else longest
        return min(self.steps_per_call, longest, to_profile), False


def parse_profile_steps(text: str) -> tuple[int, int] | None:
    """The first and the last step of a --profile_steps such as '10,12'; None for ''.

    Raises:
        UserError: it is no such range.
    """
    if not text:
        return None
    first, _, last = text.partition(",")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise UserError(f"--profile_steps={text} is no FIRST,LAST, counted from 1; use such as 10,12")
    return int(first), int(last)
