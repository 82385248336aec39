"""Runs that were never trained: what a training leaves, around a detector built by hand."""

from pathlib import Path

import keras

from deepfake_tfdata.input.batches import find_split
from deepfake_tfdata.options import build, flat
from deepfake_tfdata.scoring.runs import Run, write_run
from deepfake_tfdata.training.config import TrainConfig


def write_untrained_run(
    folder: Path, records: Path, detector: keras.Model, precision: str = "float32", **options: object
) -> Path:
    """Writes config.json and model.keras of a run on these records, with these options of `train`."""
    config = build(TrainConfig, {"data": str(records), **options})
    shards = find_split(config.input, "val")
    folder.mkdir(parents=True, exist_ok=True)
    detector.save(folder / "model.keras")
    run = Run(
        config=flat(config),
        precision=precision,
        spec=shards.spec.to_dict(),
        spec_hash=shards.spec.hash,
        plan=shards.conversion.plan,
        provenance=shards.conversion.provenance,
        data=shards.conversion.identity,
        clips=shards.digest,
        parameters={"total": 1},
        flops_per_clip=1,
    )
    write_run(folder, run)
    return folder


def sharpened(detector: keras.Model, factor: float = 30.0) -> keras.Model:
    """The detector with a steeper classifier, so that its logits differ as a trained one's do."""
    classifier = detector.get_layer("classifier")
    classifier.kernel.assign(classifier.kernel * factor)
    return detector
