"""Records read one by one from anywhere in their shards, and what is damaged in them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.shards import Shards, require_whole_files

# A wrong checksum, a file that ends too early, one that is missing.
_DAMAGE = (tf.errors.DataLossError, tf.errors.OutOfRangeError, tf.errors.NotFoundError)
# Enough reads under way to hide a disk's or a bucket's latency.
_READS_AT_ONCE = 16


class RecordReader:
    """Reads the clips of a split by their position in its index.

    A clip is megabytes, so reading it by itself costs hardly more than reading it as one of many in a row.

    Args:
        shards: of one region or of several.
    """

    def __init__(self, shards: Shards) -> None:
        self._regions = [_Places(shards, region) for region in range(len(shards.regions))]

    def read(self, row: tf.Tensor) -> tf.data.Dataset:
        """A dataset of one element, the serialized Examples of a clip in every region.

        To be called inside a dataset's function, such as that of flat_map: by itself TensorFlow can't
        serialize the op that reads at an offset.

        Args:
            row: int64 scalar.
        """
        return tf.data.Dataset.zip(tuple(places.read(row) for places in self._regions))


class _Places:
    """Where the records of one region are, as tensors."""

    def __init__(self, shards: Shards, region: int) -> None:
        clips = shards.clips[region]
        self._files = tf.constant(shards.files(region))
        self._file_of_clip = tf.constant(shards.file_of_clips(region), tf.int64)
        self._offset = tf.constant([clip.offset for clip in clips], tf.int64)
        # One request a record where each is a round trip; none too many where the page cache answers.
        remote = any("://" in file for file in shards.files(region))
        lengths = [clip.end - clip.offset if remote else 0 for clip in clips]
        self._buffer = tf.constant(lengths, tf.int64)

    def read(self, row: tf.Tensor) -> tf.data.Dataset:
        # tf.data.TFRecordDataset verifies checksums, but takes no offset; its op does.
        records = tf.raw_ops.TFRecordDatasetV2(
            filenames=tf.gather(self._files, tf.gather(self._file_of_clip, row)),
            compression_type="",
            buffer_size=tf.gather(self._buffer, row),
            byte_offsets=tf.gather(self._offset, row),
        )
        return tf.data.experimental.from_variant(records, tf.TensorSpec([], tf.string)).take(1)


def damaged_rows(shards: Shards) -> list[int]:
    """Reads every record and gives the positions of those that are damaged or missing in any region.

    Raises:
        tf.errors.OpError: a shard can't be read for another reason, such as its permissions.
    """
    reader = RecordReader(shards)

    def is_damaged(row: int) -> bool:
        try:
            return not list(tf.data.Dataset.from_tensors(tf.constant(row, tf.int64)).flat_map(reader.read))
        except _DAMAGE:
            return True

    # One by one: tf.data's ignore_errors would ask for ever for the first record of a file that is not there.
    with ThreadPoolExecutor(_READS_AT_ONCE) as threads:
        return [row for row, bad in enumerate(threads.map(is_damaged, range(shards.num_clips))) if bad]


def without_damage(shards: Shards) -> Shards:
    """The same without damaged clips, which `num_skipped` counts.

    Raises:
        UserError: none is whole, or a shard can't be read.
    """
    try:
        damaged = set(damaged_rows(shards))
    except tf.errors.OpError as error:
        raise UserError(f"the {shards.split} shards can't be read: {error.message}") from None
    if len(damaged) == shards.num_clips:
        raise UserError(f"all {len(damaged)} {shards.split} clips are damaged; convert again")
    kept = (row for row in range(shards.num_clips) if row not in damaged)
    return replace(shards.only(kept), num_skipped=len(damaged))


@contextmanager
def explained_damage(*splits: Shards) -> Iterator[None]:
    """Turns TensorFlow's error about a record that can't be read into a UserError with its shard and place.

    Args:
        splits: what is read in the block.
    """
    try:
        yield
    except (*_DAMAGE, tf.errors.FailedPreconditionError) as error:
        for shards in splits:
            require_whole_files(shards)
            for region in range(len(shards.regions)):
                alone = shards.of_region(region)
                if rows := damaged_rows(alone):
                    raise UserError(_describe(alone, rows)) from None
        raise UserError(
            f"a shard could not be read, and is whole here ({error.message}); the workers of a data service "
            "must reach it under the same name; else run again"
        ) from None


def _describe(shards: Shards, rows: Sequence[int]) -> str:
    clip, file = shards.clips[0][rows[0]], shards.file_of_clips(0)[rows[0]]
    more = f", and {len(rows) - 1} more are damaged" if len(rows) > 1 else ""
    return (
        f"shard {shards.files(0)[file]} is damaged at byte {clip.offset} (clip {clip.clip_id}{more}); "
        "delete it and run the same convert command again, or pass over damaged clips with --skip_corrupt"
    )
