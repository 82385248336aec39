"""What the training loop asks of those who started it, and what it tells them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Callbacks:
    """What the loop asks and tells.

    Attributes:
        on_step: called with a note for a person after every step.
        should_stop: asked after every call of steps and before every batch of the validation; True, in any
            worker, saves and ends all of them.
        clip_ids: the clips of a step of an epoch, for the report of a loss that is not finite.
    """

    on_step: Callable[[str], None]
    should_stop: Callable[[], bool]
    clip_ids: Callable[[int, int], list[str]]


def explain_divergence(loss: float, learning_rate: float, step: int, clips: Sequence[str]) -> str:
    """What to say of a loss that is not finite.

    Args:
        loss: of the step.
        learning_rate: it was made with.
        step: from 1.
        clips: that it was made of, where that is known.
    """
    of_clips = f" (clips of the step: {', '.join(clips)})" if clips else ""
    return (
        f"the loss is {loss} at step {step} with learning rate {learning_rate:.2g}; "
        f"lower --learning_rate or set --clip_norm=1, in a new --workdir{of_clips}"
    )
