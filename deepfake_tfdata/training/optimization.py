"""The optimizer and its learning rate."""

from dataclasses import dataclass

import keras

from deepfake_tfdata.errors import UserError

SCHEDULES = ("constant", "cosine")
# The batch that --learning_rate is meant for.
REFERENCE_BATCH_SIZE = 16


@dataclass(frozen=True)
class OptimizerConfig:
    """How weights are updated.

    Attributes:
        learning_rate: for a batch of REFERENCE_BATCH_SIZE.
        schedule: of SCHEDULES, after the warm-up.
        warmup_epochs: over which the rate rises from zero.
        weight_decay: of AdamW, decoupled.
        clip_norm: the gradients' global norm is cut to it; 0 cuts nothing.
        ema: momentum of the weights' moving average; 0 keeps none.
    """

    learning_rate: float
    schedule: str
    warmup_epochs: int
    weight_decay: float
    clip_norm: float
    ema: float

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < 10:
            raise UserError(
                f"--learning_rate={self.learning_rate} is out of range; use more than 0, below 10"
            )
        if self.schedule not in SCHEDULES:
            raise UserError(f"--schedule={self.schedule} is unknown; choose from {', '.join(SCHEDULES)}")
        for name in ("warmup_epochs", "weight_decay", "clip_norm"):
            if getattr(self, name) < 0:
                raise UserError(f"--{name}={getattr(self, name)} is out of range; use 0 or more")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema={self.ema} is out of range; use 0 to below 1")


def scaled_learning_rate(learning_rate: float, batch_size: int) -> float:
    """The rate for a batch.

    Adam's steps shrink with the gradients' noise, so its rate grows with the square root of the batch
    (Malladi et al. 2022, arXiv 2205.10287), not with the batch as stochastic gradient descent's does.
    """
    return learning_rate * (batch_size / REFERENCE_BATCH_SIZE) ** 0.5


def build_optimizer(
    config: OptimizerConfig, batch_size: int, steps_per_epoch: int, epochs: int, loss_scaling: bool
) -> keras.optimizers.Optimizer:
    """Builds AdamW as configured.

    Args:
        config: the flags.
        batch_size: clips a step, over all replicas.
        steps_per_epoch, epochs: how long the schedule is.
        loss_scaling: small gradients vanish in float16; scaling the loss keeps them.
    """
    optimizer = keras.optimizers.AdamW(
        _learning_rate(config, batch_size, steps_per_epoch, epochs),
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm or None,
        use_ema=config.ema > 0,
        ema_momentum=config.ema or 0.99,
    )
    return keras.optimizers.LossScaleOptimizer(optimizer) if loss_scaling else optimizer


def _learning_rate(
    config: OptimizerConfig, batch_size: int, steps_per_epoch: int, epochs: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    rate = scaled_learning_rate(config.learning_rate, batch_size)
    warmup = config.warmup_epochs * steps_per_epoch
    if config.schedule == "constant" and warmup == 0:
        return rate
    decay = max(1, epochs * steps_per_epoch - warmup)
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else rate,
        decay_steps=decay,
        # alpha is where the cosine ends, as a share of its start: 1 keeps the rate constant.
        alpha=0.0 if config.schedule == "cosine" else 1.0,
        warmup_target=rate if warmup else None,
        warmup_steps=warmup,
    )
