"""What test_downloads.py runs as a process: videos on a store where some transfers hang."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from deepfake_tfdata import storage
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.worker_pool import process_in_order
from tests.records.test_worker_pool import videos, work

FOLDER = "ram://stuck_downloads"
NAMES = ("a", "isdir", "stat", "copy", "b")


def hang_in(operation: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """The operation of the store, which never ends for the file of its name."""

    def call(url: str, *arguments: object, **named: object) -> object:
        if url.endswith(f"/{operation}"):
            time.sleep(3600)
        return real(url, *arguments, **named)

    return call


def remote(name: str) -> Video:
    path = storage.as_path(f"{FOLDER}/{name}")
    path.write_bytes(name.encode())
    (video,) = videos(name)
    return Video(str(path), video.video_id, 0, "original", name)


if __name__ == "__main__":
    import tensorflow as tf

    found = [remote(name) for name in NAMES]
    for operation in ("isdir", "stat", "copy"):
        setattr(tf.io.gfile, operation, hang_in(operation, getattr(tf.io.gfile, operation)))
    storage._SECONDS_TO_ANSWER = 1.0
    for video, outcome in process_in_order(found, work, 1):
        print(video.video_id, outcome.status, outcome.reason, flush=True)
    storage._SECONDS_TO_ANSWER = 3600.0
    with closing(process_in_order(found, work, 1)) as outcomes:
        print(next(outcomes)[1].status)
    print("closed", flush=True)
