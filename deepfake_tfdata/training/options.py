"""What a user may choose of the training."""

from dataclasses import dataclass

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, option

SCHEDULES = ("constant", "cosine")
STRATEGIES = ("auto", "single", "mirrored", "multi_worker", "tpu")
PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")
# The batch that --learning_rate is meant for.
REFERENCE_BATCH_SIZE = 16


@dataclass(frozen=True)
class OptimizerOptions(Options):
    """How weights are updated."""

    learning_rate: float = option(
        1e-4,
        f"of AdamW at {REFERENCE_BATCH_SIZE} clips a step; grows with the square root of the batch",
        above=0,
        below=10,
    )
    schedule: str = option("constant", "of the learning rate, after the warm-up", choices=SCHEDULES)
    warmup_epochs: int = option(0, "over which the learning rate rises from zero", low=0)
    weight_decay: float = option(
        0.0,
        "of AdamW, decoupled: a step takes the learning rate times this from the kernels, so that at the "
        "default rate less than 0.05 does next to nothing",
        low=0,
    )
    clip_norm: float = option(0.0, "cut the gradients' global norm to it; 0 does not", low=0)
    ema: float = option(
        0.0,
        "momentum of the moving average of weights and of BatchNormalization's statistics, smaller in the "
        "first steps, which is then what is validated and saved; 0 keeps none",
        low=0,
        below=1,
    )


@dataclass(frozen=True)
class StageOptions(Options):
    """What learns when."""

    freeze_epochs: int = option(0, "epochs in which the backbone keeps its weights", low=0)
    finetune_layers: int = option(0, "of the backbone's top that learn after these; 0 means all", low=0)
    finetune_learning_rate: float = option(1e-5, "after these epochs", above=0, below=10)
    cache_features: bool = option(
        False, "compute a frozen backbone's features once, keep them, and train on them"
    )


@dataclass(frozen=True)
class StepOptions(Options):
    """The step."""

    label_smoothing: float = option(0.0, "share of every label that moves to the middle", low=0, below=1)
    accumulation: int = option(
        1, "parts of a batch that are worked on one after another, to save memory", low=1
    )
    rematerialize: bool = option(
        False, "compute the backbone's activations again in the backward pass, to save memory"
    )
    jit_compile: bool = option(False, "compile the passes forward and backward with XLA")
    sync_batch_norm: bool = option(
        True, "BatchNormalization sees the clips of all devices; if not, each device those of its own"
    )


@dataclass(frozen=True)
class LoopOptions(Options):
    """How long to train, and what to save on the way."""

    epochs: int = option(30, "at most; 0 saves the detector as it was built", low=0, may_change=True)
    patience: int = option(6, "epochs without a better validation before stopping", low=1, may_change=True)
    checkpoint_steps: int = option(
        500,
        "steps between checkpoints inside an epoch; one is saved after every epoch, too",
        low=1,
        may_change=True,
    )
    steps_per_call: int = option(
        1,
        "steps made without coming back to Python; more pay where a step takes milliseconds",
        low=1,
        may_change=True,
    )
    profile_steps: str = option(
        "", "FIRST,LAST: write a TensorBoard profile of these steps, counted from 1", may_change=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _step_range(self.profile_steps)

    @property
    def profiled(self) -> tuple[int, int] | None:
        """The first and the last step to profile."""
        return _step_range(self.profile_steps)


def _step_range(text: str) -> tuple[int, int] | None:
    """The two of '10,12'; None for ''. Raises UserError where it is no such range."""
    if not text:
        return None
    first, _, last = (part.strip() for part in text.partition(","))
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise UserError(f"--profile_steps={text} is no FIRST,LAST, counted from 1; use such as 10,12")
    return int(first), int(last)


@dataclass(frozen=True)
class DeviceOptions(Options):
    """Where to train, and how exactly."""

    strategy: str = option(
        "auto",
        "single device; mirrored over all GPUs; multi_worker over the machines of TF_CONFIG; tpu "
        "(experimental: written, never run); auto takes what fits",
        choices=STRATEGIES,
        may_change=True,
    )
    precision: str = option("auto", "of the numbers; auto goes by the device", choices=PRECISIONS)
    seed: int = option(0, "of weights, order and augmentation", low=0, high=2**31 - 1)
    deterministic: bool = option(False, "the same numbers in every run, more slowly")
