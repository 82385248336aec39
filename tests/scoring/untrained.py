"""Runs that nobody trained, with a detector made by hand."""

from pathlib import Path
from typing import Any

import keras

from deepfake_tfdata.input.batches import find_split
from deepfake_tfdata.options import build, flat
from deepfake_tfdata.scoring.runs import Run, write_run
from deepfake_tfdata.training import TrainConfig


def write_untrained_run(folder: Path, detector: keras.Model, **options: Any) -> None:
    """Writes what a training with these options would leave of a detector."""
    config = build(TrainConfig, options)
    shards = find_split(config.input, "val")
    detector.save(folder / "model.keras")
    write_run(
        folder,
        Run(
            config=flat(config),
            precision="float32",
            spec=shards.spec.to_dict(),
            spec_hash=shards.spec.hash,
            plan=shards.conversion.plan,
            provenance=shards.conversion.provenance,
            data=shards.conversion.identity,
            clips=shards.digest,
            parameters={"total": 1},
            flops_per_clip=1,
        ),
    )
