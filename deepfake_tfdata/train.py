"""Trains a detector on one region's records, then evaluates it on the test split.

python -m deepfake_tfdata.train --region=mouth --head=attention

Run again with the same --workdir, it goes on where it stopped.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from absl import flags

from deepfake_tfdata import cli
from deepfake_tfdata.progress import Progress

_FLAGS = flags.FlagValues()
_DATA = flags.DEFINE_string("data", "data/records", "folder of records", flag_values=_FLAGS)
_REGION = flags.DEFINE_string("region", "mouth", "region to train on", flag_values=_FLAGS)
_HEAD = flags.DEFINE_string(
    "head", "attention", "control (mean over time) or attention (learned softmax)", flag_values=_FLAGS
)
_WORKDIR = flags.DEFINE_string(
    "workdir", None, "of the run; runs/REGION_HEAD if not given", flag_values=_FLAGS
)
_BACKBONE = flags.DEFINE_string(
    "backbone",
    "efficientnet_b1",
    "efficientnet_b0..b7, efficientnet_v2_b0..b3, xception, meso4",
    flag_values=_FLAGS,
)
_WEIGHTS = flags.DEFINE_string(
    "weights", "imagenet", "imagenet, none, or a file of weights", flag_values=_FLAGS
)
_LSTM_UNITS = flags.DEFINE_integer("lstm_units", 128, "of the LSTM, in each direction", flag_values=_FLAGS)
_DROPOUT = flags.DEFINE_float("dropout", 0.2, "before the classifier", flag_values=_FLAGS)
_EPOCHS = flags.DEFINE_integer("epochs", 30, "at most", flag_values=_FLAGS)
_PATIENCE = flags.DEFINE_integer(
    "patience", 6, "epochs without a better validation before stopping", flag_values=_FLAGS
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 16, "clips a step, over all devices", flag_values=_FLAGS)
_LEARNING_RATE = flags.DEFINE_float("learning_rate", 1e-4, "of AdamW", flag_values=_FLAGS)
_AUGMENT = flags.DEFINE_boolean(
    "augment", True, "flip, brightness, contrast of whole clips", flag_values=_FLAGS
)
_STRATEGY = flags.DEFINE_string("strategy", "auto", "auto|single|mirrored", flag_values=_FLAGS)
_PRECISION = flags.DEFINE_string(
    "precision", "auto", "auto|float32|mixed_float16|mixed_bfloat16", flag_values=_FLAGS
)
_SEED = flags.DEFINE_integer("seed", 0, "of weights, order and augmentation", flag_values=_FLAGS)
_DETERMINISTIC = flags.DEFINE_boolean(
    "deterministic", False, "the same numbers in every run, more slowly", flag_values=_FLAGS
)


def main() -> None:
    """Reads the flags, trains, evaluates, and says what came out."""
    from deepfake_tfdata.evaluation.comparison import comparison_table
    from deepfake_tfdata.training.config import TrainConfig
    from deepfake_tfdata.training.evaluation import evaluate_run
    from deepfake_tfdata.training.run import train

    config = TrainConfig(
        data=_DATA.value,
        workdir=_WORKDIR.value or f"runs/{_REGION.value}_{_HEAD.value}",
        region=_REGION.value,
        head=_HEAD.value,
        backbone=_BACKBONE.value,
        weights=_WEIGHTS.value,
        lstm_units=_LSTM_UNITS.value,
        dropout=_DROPOUT.value,
        epochs=_EPOCHS.value,
        patience=_PATIENCE.value,
        batch_size=_BATCH_SIZE.value,
        learning_rate=_LEARNING_RATE.value,
        augment=_AUGMENT.value,
        strategy=_STRATEGY.value,
        precision=_PRECISION.value,
        seed=_SEED.value,
        deterministic=_DETERMINISTIC.value,
    )
    train(config, _show_steps)
    evaluation = evaluate_run(Path(config.workdir), "test")
    cli.say(comparison_table([evaluation]))
    cli.say(f"report: {config.workdir}/evaluation/test/report.html")


@contextmanager
def _show_steps(steps: int) -> Iterator[Callable[[float], None]]:
    with Progress("train", steps, "steps") as progress:
        yield lambda loss: progress.advance(f"loss {loss:.4f}")


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, _FLAGS, __doc__, argv)


if __name__ == "__main__":
    run()
