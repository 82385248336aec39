"""How a run's steps are divided into calls."""

from dataclasses import dataclass

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.training.options import LoopOptions


@dataclass(frozen=True)
class StepPlan:
    """Where the steps of a run are interrupted.

    Attributes:
        loop: how long it is, how often it saves, and which steps are profiled.
        steps_per_epoch: batches.

    Raises:
        UserError: a profile begins after the run's end.
    """

    loop: LoopOptions
    steps_per_epoch: int

    def __post_init__(self) -> None:
        if self.loop.profiled and self.loop.profiled[0] > self.num_steps:
            raise UserError(
                f"--profile_steps={self.loop.profile_steps} begins after the run's {self.num_steps} steps; "
                "use earlier ones"
            )

    @property
    def num_steps(self) -> int:
        """Of all epochs."""
        return self.loop.epochs * self.steps_per_epoch

    def next_call(self, step: int) -> tuple[int, bool]:
        """How many steps to make after `step` of them, and whether to write a profile of these.

        A call goes no further than the next checkpoint, the end of the epoch, or the step before a profile;
        a profile is one call, however many steps it has.
        """
        in_epoch = step % self.steps_per_epoch
        to_checkpoint = self.loop.checkpoint_steps - in_epoch % self.loop.checkpoint_steps
        longest = min(to_checkpoint, self.steps_per_epoch - in_epoch)
        first, last = self.loop.profiled or (0, 0)
        if step + 1 == first:
            return min(longest, last - step), True
        to_profile = first - 1 - step if first > step else longest
        return min(self.loop.steps_per_call, longest, to_profile), False
