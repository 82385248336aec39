"""Features of a frozen backbone, computed once and kept: what then trains is the LSTM and the head.

A frozen backbone gives the same features for a frame in every epoch, as long as nothing augments the frame.
"""

import hashlib
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.clips.views import view_named
from deepfake_tfdata.files import atomic_path
from deepfake_tfdata.input.batch_order import HostShare
from deepfake_tfdata.input.shards import Shards
from deepfake_tfdata.model.assembly import backbones_of
from deepfake_tfdata.model.halves import feature_extractor
from deepfake_tfdata.scoring.clip_scores import Predict, make_predict, predicted

_LOG = logging.getLogger(__name__)
# Clips a file; an interrupted extraction repeats one file at most.
_CLIPS_PER_FILE = 256


@dataclass(frozen=True)
class FeatureSplit:
    """The features of one split.

    Attributes:
        features: a float32 [N, T, F] for each input of the detector, in its order.
        labels: int64 [N].
    """

    features: tuple[np.ndarray, ...]
    labels: np.ndarray

    def batches(
        self, batch_size: int, *, seed: int, first_epoch: int, first_step: int, share: HostShare
    ) -> tf.data.Dataset:
        """Endless shuffled batches (features, labels), resumable and shared like those of `load_clips`."""
        count = len(self.labels)
        features, labels = tuple(map(tf.constant, self.features)), tf.constant(self.labels)

        def epoch_of(epoch: tf.Tensor) -> tf.data.Dataset:
            seeds = tf.stack([tf.constant(seed, tf.int64), epoch])
            order = tf.random.experimental.stateless_shuffle(tf.range(count), seed=seeds)
            seen = tf.where(epoch == first_epoch, tf.constant(first_step * share.step_size, tf.int64), 0)
            rows = tf.data.Dataset.from_tensor_slices(order).take(count // share.step_size * share.step_size)
            return rows.skip(seen).shard(share.count, share.index).batch(batch_size)

        def gather(rows: tf.Tensor) -> tuple[tuple[tf.Tensor, ...], tf.Tensor]:
            return tuple(tf.gather(each, rows) for each in features), tf.gather(labels, rows)

        epochs = tf.data.Dataset.range(first_epoch, tf.int64.max)
        return epochs.flat_map(epoch_of).map(gather).prefetch(2)

    def select(self, rows: Sequence[int]) -> "FeatureSplit":
        """Those of some clips, by their positions, in the order given."""
        rows = list(rows)
        return FeatureSplit(tuple(each[rows] for each in self.features), self.labels[rows])

    def in_order(self, batch_size: int) -> tf.data.Dataset:
        """Batches ({"frames": features}, labels) for `score_clips`, each clip once."""
        dataset = tf.data.Dataset.from_tensor_slices(({"frames": self.features}, self.labels))
        return dataset.batch(batch_size)


def load_features(
    detector: keras.Model,
    shards: Shards,
    view: str,
    data: str,
    batches_of: Callable[[Shards], Iterable[Any]],
    strategy: tf.distribute.Strategy,
    start_progress: Callable[[int], AbstractContextManager[Callable[[str], None]]],
) -> FeatureSplit:
    """Loads a split's features, and computes first what DATA/features lacks of them.

    Args:
        detector: its backbones compute the features; built in the strategy's scope.
        shards: of the split.
        view: what the batches show of them; '' is everything.
        data: the folder of records.
        batches_of: loads shards in order.
        strategy: what the detector runs on.
        start_progress: shows the files of features that are computed.
    """
    # By what it shows: a name may come to mean something else.
    seen = repr(view_named(view)) if view else ""
    key = _key(detector, f"{shards.conversion.identity} {seen}")
    folder = Path(data) / "features" / f"{'-'.join(shards.regions)}-{key}"
    count = math.ceil(shards.num_clips / _CLIPS_PER_FILE)
    # The plan knows which videos there are; the digest, which clips they gave.
    name = f"{shards.split}-{shards.digest}"
    paths = [folder / f"{name}-{index:05d}-of-{count:05d}.npz" for index in range(count)]
    missing = [index for index, path in enumerate(paths) if not path.exists()]
    if missing:
        _LOG.info(
            "computing the features of %d %s clips, once, into %s", shards.num_clips, shards.split, folder
        )
        rows = [row for row in range(shards.num_clips) if row // _CLIPS_PER_FILE in missing]
        predict = make_predict(feature_extractor(detector), strategy)
        with start_progress(len(missing)) as on_file:
            # One pass over what is missing; a file appears as soon as its clips are done.
            files = _by_file(_computed(predict, batches_of(shards.only(rows))))
            for index, (*features, labels) in zip(missing, files, strict=True):
                # Several runs may compute the same features at once.
                with atomic_path(paths[index], unique=True) as temporary:
                    np.savez(temporary, *features, labels=labels)
                on_file(shards.split)
    return _read(paths)


# Of some clips: features, a float32 [N, T, F] for each input of the detector, and int64 labels [N].
_Columns = list[np.ndarray]


def _computed(predict: Predict, batches: Iterable[Any]) -> Iterator[_Columns]:
    """The features of every batch."""
    for outputs, _, label in predicted(predict, batches):
        yield [*(output.astype(np.float32) for output in outputs), label.numpy()]


def _by_file(batches: Iterator[_Columns]) -> Iterator[_Columns]:
    """The same clips, as many at a time as a file holds; the last file may hold less."""
    ahead: list[_Columns] = []
    for batch in batches:
        ahead.append(batch)
        while sum(len(columns[-1]) for columns in ahead) >= _CLIPS_PER_FILE:
            clips = _joined(ahead)
            yield [column[:_CLIPS_PER_FILE] for column in clips]
            ahead = [[column[_CLIPS_PER_FILE:] for column in clips]]
    if any(len(columns[-1]) for columns in ahead):
        yield _joined(ahead)


def _joined(batches: list[_Columns]) -> _Columns:
    return [np.concatenate(column) for column in zip(*batches, strict=True)]


def _read(paths: list[Path]) -> FeatureSplit:
    files = [np.load(path) for path in paths]
    names = [name for name in files[0].files if name != "labels"]
    return FeatureSplit(
        tuple(np.concatenate([file[name] for file in files]) for name in names),
        np.concatenate([file["labels"] for file in files]),
    )


def _key(detector: keras.Model, clips: str) -> str:
    """Changes with the clips and what is seen of them, and with any weight of the backbones, wherever they
    came from.
    """
    digest = hashlib.sha256(f"{clips} {keras.config.dtype_policy().name}".encode())
    for backbone in backbones_of(detector):
        digest.update(f"{backbone.name} {backbone.input_shape}".encode())
        for layer in backbone.layers:
            digest.update(type(layer).__name__.encode())
        for weight in backbone.weights:
            digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:12]
