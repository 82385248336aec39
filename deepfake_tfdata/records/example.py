"""A clip as a tf.train.Example, written and parsed side by side."""

from collections.abc import Callable
from functools import partial

import tensorflow as tf
from google.protobuf.message import DecodeError

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.index import IndexedClip
from deepfake_tfdata.storage import AnyPath

# Of a TFRecord: what is left without its length, the length's checksum, and the data's checksum.
_DATA = slice(12, -4)


def encode_example(clip: Clip) -> bytes:
    """The serialized Example of a clip; its features are those of `parse_example`."""
    features = {
        "frames": _bytes(clip.frames),
        "label": _ints([clip.video.label]),
        "clip_id": _bytes([clip.clip_id.encode()]),
        "video_id": _bytes([clip.video.video_id.encode()]),
        "manipulation": _bytes([clip.video.manipulation.encode()]),
        "target_id": _bytes([clip.video.target_id.encode()]),
        "source_id": _bytes([clip.video.source_id.encode()]),
        "spec_hash": _bytes([clip.spec_hash.encode()]),
        "frame_indices": _ints(clip.frame_indices.tolist()),
        "timestamps": _floats(clip.timestamps.tolist()),
        "boxes": _floats(clip.boxes.ravel().tolist()),
        "face_found": _ints(clip.face_found.astype(int).tolist()),
        "height": _ints([clip.height]),
        "width": _ints([clip.width]),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(
        deterministic=True
    )


def parse_example(serialized: tf.Tensor, num_frames: int) -> dict[str, tf.Tensor]:
    """Parses one serialized Example; the images stay encoded.

    Args:
        serialized: string scalar.
        num_frames: T.

    Returns:
        frames string [T], label int64, clip_id, video_id, manipulation, target_id, source_id and spec_hash
        string scalars, frame_indices int64 [T], timestamps float32 [T] seconds, boxes float32 [T, 4] pixels
        of the source frame, face_found bool [T], height and width int64.
    """
    string, integer = (tf.io.FixedLenFeature([], dtype) for dtype in (tf.string, tf.int64))
    parsed = tf.io.parse_single_example(
        serialized,
        {
            "frames": tf.io.FixedLenFeature([num_frames], tf.string),
            "label": integer,
            "clip_id": string,
            "video_id": string,
            "manipulation": string,
            "target_id": string,
            "source_id": string,
            "spec_hash": string,
            "frame_indices": tf.io.FixedLenFeature([num_frames], tf.int64),
            "timestamps": tf.io.FixedLenFeature([num_frames], tf.float32),
            "boxes": tf.io.FixedLenFeature([num_frames, 4], tf.float32),
            "face_found": tf.io.FixedLenFeature([num_frames], tf.int64),
            "height": integer,
            "width": integer,
        },
    )
    parsed["face_found"] = tf.cast(parsed["face_found"], tf.bool)
    return parsed


def decode_frames(
    frames: tf.Tensor, encoding: str, num_frames: int, height: tf.Tensor, width: tf.Tensor
) -> tf.Tensor:
    """Decodes the images of a clip.

    Args:
        frames: string [T].
        encoding: of the clip spec.
        num_frames: T.
        height, width: of every image, as in the record.

    Returns:
        uint8 [T, height, width, 3].
    """
    size = tf.stack([tf.cast(height, tf.int64), tf.cast(width, tf.int64), tf.constant(3, tf.int64)])
    if encoding == "raw":
        # One op and one copy for all frames; a record whose pixels don't fill its size fails here.
        pixels = tf.io.decode_raw(frames, tf.uint8)
        return tf.reshape(pixels, tf.concat([tf.constant([num_frames], tf.int64), size], 0))
    # One op an image, so that TensorFlow's threads can share a clip; map_fn decodes one after another.
    images = [_DECODERS[encoding](image) for image in tf.unstack(frames, num=num_frames)]
    return tf.stack([tf.reshape(image, size) for image in images])


def _decode_webp(image: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_webp(image, channels=3)


_DECODERS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    # The exact transform: the fast one, TensorFlow's default, is off by a grey level on average.
    "jpeg": partial(tf.io.decode_jpeg, channels=3, dct_method="INTEGER_ACCURATE"),
    "png": partial(tf.io.decode_png, channels=3),
    "webp": _decode_webp,
}


def read_example(shard: AnyPath, clip: IndexedClip) -> tf.train.Example:
    """Reads one clip's record by itself, in bytes: TensorFlow's ops would reserve a GPU.

    That it is the clip's record is verified; checksums are left to those who read whole shards.

    Raises:
        UserError: the record is not, or no longer, in the shard.
    """
    try:
        with shard.open("rb") as file:
            file.seek(clip.offset)
            record = file.read(clip.end - clip.offset)
        example = tf.train.Example.FromString(record[_DATA])
    except (OSError, DecodeError, tf.errors.OpError) as error:
        raise damaged_record(shard, clip) from error
    if list(example.features.feature["clip_id"].bytes_list.value) != [clip.clip_id.encode()]:
        raise damaged_record(shard, clip)
    return example


def damaged_record(shard: AnyPath, clip: IndexedClip) -> UserError:
    """What to tell a person about a record that is not what was written."""
    output = shard.parent.parent
    return UserError(
        f"shard {shard} has been damaged since it was written (clip {clip.clip_id}); find all such with "
        f"python -m tools.inspect_shards {output}, delete them and run the same command again"
    )


def can_decode(encoding: str) -> bool:
    """Whether the installed TensorFlow has the decoder: that of webp came after 2.16."""
    return encoding != "webp" or hasattr(tf.io, "decode_webp")


def _bytes(values: list[bytes]) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _ints(values: list[int]) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def _floats(values: list[float]) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))
