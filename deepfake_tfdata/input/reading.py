"""Records read one by one from anywhere in their shards, and what is damaged in them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.shards import Shards, require_whole_files

# A wrong checksum, a missing file, fewer records than the index has.
_DAMAGE = (tf.errors.DataLossError, tf.errors.NotFoundError, tf.errors.FailedPreconditionError)
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
        """A dataset of one element, the serialized Examples of a clip in every region; for any graph.

        Args:
            row: int64 scalar.
        """
        return tf.data.Dataset.zip(tuple(places.read(row) for places in self._regions))


class _Places:
    """Where the records of one region are, as tensors."""

    def __init__(self, shards: Shards, region: int) -> None:
        clips = shards.clips[region]
        self._files = tf.constant(shards.files(region))
        self._shard = tf.constant([clip.shard for clip in clips], tf.int64)
        self._offset = tf.constant([clip.offset for clip in clips], tf.int64)
        # One request a record where each is a round trip; none too many where the page cache answers.
        remote = "://" in str(shards.folders[region])
        lengths = [clip.end - clip.offset if remote else 0 for clip in clips]
        self._buffer = tf.constant(lengths, tf.int64)

    def read(self, row: tf.Tensor) -> tf.data.Dataset:
        # tf.data.TFRecordDataset verifies checksums, but takes no offset; its op does.
        records = tf.raw_ops.TFRecordDatasetV2(
            filenames=tf.gather(self._files, tf.gather(self._shard, row)),
            compression_type="",
            buffer_size=tf.gather(self._buffer, row),
            byte_offsets=tf.gather(self._offset, row),
        )
        return tf.data.experimental.from_variant(records, tf.TensorSpec([], tf.string)).take(1)


def damaged_rows(shards: Shards) -> list[int]:
    """Reads every record and gives the positions of those that are damaged in any region.

    Raises:
        UserError: a whole shard is missing or cut off.
    """
    # Of a file that is not there ignore_errors would try to read the first record for ever.
    require_whole_files(shards)
    reader = RecordReader(shards)
    whole = tf.data.Dataset.range(shards.num_clips).interleave(
        lambda row: reader.read(row).map(lambda *_: row),
        cycle_length=_READS_AT_ONCE,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=False,
    )
    found = set(whole.ignore_errors().as_numpy_iterator())
    return [row for row in range(shards.num_clips) if row not in found]


@contextmanager
def explained_damage(*splits: Shards) -> Iterator[None]:
    """Turns TensorFlow's error about a damaged record into a UserError that names shard and position."""
    try:
        yield
    except _DAMAGE:
        for shards in splits:
            for region in range(len(shards.regions)):
                alone = shards.of_region(region)
                if rows := damaged_rows(alone):
                    raise UserError(_describe(alone, rows)) from None
        raise UserError("a shard was damaged while it was read, and is whole now; run again") from None


def _describe(shards: Shards, rows: Sequence[int]) -> str:
    clip = shards.clips[0][rows[0]]
    more = f", and {len(rows) - 1} more are damaged" if len(rows) > 1 else ""
    return (
        f"shard {shards.files(0)[clip.shard]} is damaged at byte {clip.offset} (clip {clip.clip_id}{more}); "
        "delete it and run the same convert command again, or pass over damaged clips with --skip_corrupt"
    )
