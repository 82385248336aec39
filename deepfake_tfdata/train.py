"""Trains a detector on one region's records, then evaluates it on the test split.

python -m deepfake_tfdata.train --region=mouth --head=attention

Run again with the same --workdir, it goes on where it stopped.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from absl import flags

from deepfake_tfdata import cli
from deepfake_tfdata.progress import Progress

# What a shell reports of a process that SIGTERM ended.
_TERMINATED = 143
_FLAGS = flags.FlagValues()
_DATA = flags.DEFINE_string("data", "data/records", "folder of records", flag_values=_FLAGS)
_REGION = flags.DEFINE_string(
    "region", "mouth", "to train on; several, as in full,eyes,mouth, are fused", flag_values=_FLAGS
)
_SHARE_BACKBONE = flags.DEFINE_boolean(
    "share_backbone", False, "one backbone for several regions instead of one each", flag_values=_FLAGS
)
_HEAD = flags.DEFINE_string(
    "head",
    "attention",
    "attention|control|control_matched|max|last|transformer: how frames make one verdict",
    flag_values=_FLAGS,
)
_WORKDIR = flags.DEFINE_string(
    "workdir", None, "of the run; runs/REGION_HEAD if not given", flag_values=_FLAGS
)
_BACKBONE = flags.DEFINE_string(
    "backbone",
    "efficientnet_b1",
    "efficientnet_b0..b7, efficientnet_v2_b0..b3, mobilenet_v3_*, convnext_*, xception, meso4",
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
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate",
    1e-4,
    "of AdamW at 16 clips an update; scaled by the square root of the batch",
    flag_values=_FLAGS,
)
_SCHEDULE = flags.DEFINE_string(
    "schedule", "constant", "of the learning rate: constant|cosine", flag_values=_FLAGS
)
_WARMUP_EPOCHS = flags.DEFINE_integer("warmup_epochs", 0, "of a rising learning rate", flag_values=_FLAGS)
_WEIGHT_DECAY = flags.DEFINE_float("weight_decay", 0.004, "of AdamW", flag_values=_FLAGS)
_CLIP_NORM = flags.DEFINE_float(
    "clip_norm", 0.0, "cut the gradients' norm to it; 0 does not", flag_values=_FLAGS
)
_ACCUMULATION = flags.DEFINE_integer(
    "accumulation", 1, "parts of a batch worked on one after another, to save memory", flag_values=_FLAGS
)
_EMA = flags.DEFINE_float(
    "ema",
    0.0,
    "momentum of the weights' moving average, used for evaluation; 0 keeps none",
    flag_values=_FLAGS,
)
_FREEZE_EPOCHS = flags.DEFINE_integer(
    "freeze_epochs", 0, "epochs in which the backbone keeps its weights", flag_values=_FLAGS
)
_CACHE_FEATURES = flags.DEFINE_boolean(
    "cache_features", False, "compute a frozen backbone's features once and train on them", flag_values=_FLAGS
)
_FINETUNE_LAYERS = flags.DEFINE_integer(
    "finetune_layers",
    0,
    "of the backbone's top that learn after these epochs; 0 means all",
    flag_values=_FLAGS,
)
_FINETUNE_LEARNING_RATE = flags.DEFINE_float(
    "finetune_learning_rate", 1e-5, "after these epochs", flag_values=_FLAGS
)
_LABEL_SMOOTHING = flags.DEFINE_float("label_smoothing", 0.0, "0 to below 1", flag_values=_FLAGS)
_FRAME_SIZE = flags.DEFINE_integer(
    "frame_size",
    0,
    "side of what the detector sees of native records, pixels; 0 takes the conversion's",
    flag_values=_FLAGS,
)
_BALANCE = flags.DEFINE_string(
    "balance",
    "none",
    "none|class|method, or weights such as original:2,Face2Face:1 that say how often each is drawn",
    flag_values=_FLAGS,
)
_PAIRS = flags.DEFINE_boolean("pairs", False, "a fake and its original in the same batch", flag_values=_FLAGS)
_SKIP_CORRUPT = flags.DEFINE_boolean(
    "skip_corrupt", False, "read all records first and leave out those that are damaged", flag_values=_FLAGS
)
_CACHE_DIR = flags.DEFINE_string(
    "cache_dir", "", "local folder for copies of shards from object storage", flag_values=_FLAGS
)
_DATA_SERVICE = flags.DEFINE_string(
    "data_service", "", "grpc://HOST:PORT of a tf.data service that makes the batches", flag_values=_FLAGS
)
_AUGMENT = flags.DEFINE_string(
    "augment",
    "default",
    "whole clips: default (flip,colour), none, all, or of reverse,blur,noise,downscale,codec,jpeg,frame_drop,"
    "cutout,zoom,flip,colour",
    flag_values=_FLAGS,
)
_STRATEGY = flags.DEFINE_string(
    "strategy",
    "auto",
    "auto|single|mirrored|multi_worker (by TF_CONFIG)|tpu (experimental)",
    flag_values=_FLAGS,
)
_JIT_COMPILE = flags.DEFINE_boolean(
    "jit_compile", False, "compile the step with XLA (one device)", flag_values=_FLAGS
)
_STEPS_PER_CALL = flags.DEFINE_integer(
    "steps_per_call",
    1,
    "steps made without coming back to Python; more pay where a step takes milliseconds",
    flag_values=_FLAGS,
)
_PROFILE_STEPS = flags.DEFINE_string(
    "profile_steps", "", "FIRST,LAST: write a TensorBoard profile of these steps", flag_values=_FLAGS
)
_CHECKPOINT_STEPS = flags.DEFINE_integer(
    "checkpoint_steps", 500, "between checkpoints inside an epoch", flag_values=_FLAGS
)
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
    from deepfake_tfdata.training.optimization import OptimizerConfig
    from deepfake_tfdata.training.run import train

    config = TrainConfig(
        data=_DATA.value,
        workdir=_WORKDIR.value or f"runs/{_REGION.value.replace(',', '-')}_{_HEAD.value}",
        region=_REGION.value,
        share_backbone=_SHARE_BACKBONE.value,
        head=_HEAD.value,
        backbone=_BACKBONE.value,
        weights=_WEIGHTS.value,
        lstm_units=_LSTM_UNITS.value,
        dropout=_DROPOUT.value,
        epochs=_EPOCHS.value,
        patience=_PATIENCE.value,
        batch_size=_BATCH_SIZE.value,
        optimizer=OptimizerConfig(
            learning_rate=_LEARNING_RATE.value,
            schedule=_SCHEDULE.value,
            warmup_epochs=_WARMUP_EPOCHS.value,
            weight_decay=_WEIGHT_DECAY.value,
            clip_norm=_CLIP_NORM.value,
            ema=_EMA.value,
        ),
        cache_features=_CACHE_FEATURES.value,
        freeze_epochs=_FREEZE_EPOCHS.value,
        finetune_layers=_FINETUNE_LAYERS.value,
        finetune_learning_rate=_FINETUNE_LEARNING_RATE.value,
        label_smoothing=_LABEL_SMOOTHING.value,
        accumulation=_ACCUMULATION.value,
        frame_size=_FRAME_SIZE.value,
        augment=_AUGMENT.value,
        balance=_BALANCE.value,
        pairs=_PAIRS.value,
        skip_corrupt=_SKIP_CORRUPT.value,
        cache_dir=_CACHE_DIR.value,
        data_service=_DATA_SERVICE.value,
        steps_per_call=_STEPS_PER_CALL.value,
        profile_steps=_PROFILE_STEPS.value,
        checkpoint_steps=_CHECKPOINT_STEPS.value,
        strategy=_STRATEGY.value,
        jit_compile=_JIT_COMPILE.value,
        precision=_PRECISION.value,
        seed=_SEED.value,
        deterministic=_DETERMINISTIC.value,
    )
    interrupt = signal.getsignal(signal.SIGTERM)
    terminated = _on_termination()
    outcome = train(config, _show_steps, terminated.is_set)
    if not outcome.finished:
        cli.say(f"terminated; {config.workdir} is saved, run the same command again to go on")
        sys.exit(_TERMINATED)
    signal.signal(signal.SIGTERM, interrupt)
    if not outcome.chief:
        return
    evaluation, folder = evaluate_run(Path(config.workdir), "test")
    cli.say(comparison_table([evaluation]))
    cli.say(f"report: {folder}/report.html")


def _on_termination() -> threading.Event:
    """An event that SIGTERM, the notice of a VM that is preempted, sets."""
    event = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: event.set())
    return event


@contextmanager
def _show_steps(steps: int) -> Iterator[Callable[[str], None]]:
    with Progress("train", steps, "steps") as progress:
        yield progress.advance


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, _FLAGS, __doc__, argv)


if __name__ == "__main__":
    run()
