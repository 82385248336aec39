"""A clip as a tf.train.Example, written and parsed side by side."""

import tensorflow as tf

from deepfake_tfdata.clips.clip import Clip


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


def _bytes(values: list[bytes]) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _ints(values: list[int]) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def _floats(values: list[float]) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))
