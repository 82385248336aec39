"""Verifies shards, prints a record, exports a clip.

python -m tools.inspect_shards data/records
python -m tools.inspect_shards data/records/mouth --print=Face2Face/000_003
python -m tools.inspect_shards data/records/mouth --export=Face2Face/000_003 --to=clip.mp4

Reads every record of a folder (or of the shards named), checks its checksums, and compares them with the
index and with dataset_info.json. Exits with 1 when something is damaged or missing. Folders may be URLs, such
as gs://b/records.
"""

import argparse
import io
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import av
import numpy as np
import tensorflow as tf
from PIL import Image

from deepfake_tfdata.cli import leave
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.index import INDEX_FILE, RECORD_FRAME_BYTES, IndexedClip, by_shard, read_index
from deepfake_tfdata.records.plan import shard_name
from deepfake_tfdata.storage import AnyPath, user_path

_SHARD_NAME = re.compile(r"-(train|val|test)\.tfrecord-(\d+)-of-\d+$")
# A record's offset in its shard, its length, and its clip.
Place = tuple[int, int, str]


def main() -> None:
    """Reads the arguments and does one of the three."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+", type=user_path, help="folders of records, or shards")
    parser.add_argument("--print", metavar="CLIP_ID", help="print that clip's features, but no image")
    parser.add_argument("--export", metavar="CLIP_ID", help="write that clip to the file of --to")
    parser.add_argument("--to", type=user_path, help="FILE.png, the frames side by side, or FILE.mp4")
    arguments = parser.parse_args()
    status = 0
    try:
        shards = [shard for place in arguments.places for shard in find_shards(place)]
        if arguments.print:
            for shard, example in find_clips(shards, arguments.print):
                print(shard, *describe(example), sep="\n")
        elif arguments.export:
            export(shards, arguments.export, arguments.to)
        else:
            problems = verify(shards)
            status = int(bool(problems))
            print(*(problems or [f"{len(shards)} shards, all whole"]), sep="\n")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        status = 2
    leave(status)


def find_shards(place: AnyPath) -> list[AnyPath]:
    """The shards in a folder and those below it, sorted; a shard itself.

    Raises:
        UserError: there are none.
    """
    if place.is_file():
        return [place]
    shards = sorted(path for path in place.rglob("*.tfrecord-*") if ".incomplete" not in path.name)
    if not shards:
        raise UserError(
            f"no shards in {place}; name what convert had as --output, or a region's folder in it"
        )
    return shards


def verify(shards: Sequence[AnyPath]) -> list[str]:
    """What is wrong with the shards, a sentence each, beginning with the shard."""
    problems = []
    for folder in sorted({shard.parent for shard in shards}):
        expected = expected_counts(folder)
        index = by_shard(read_index(folder))
        here = [shard for shard in shards if shard.parent == folder]
        problems += [f"{folder / name}: missing" for name in expected if not (folder / name).exists()]
        for shard in here:
            places, problem = read_all(shard)
            count = len(places)
            if not problem and expected.get(shard.name, count) != count:
                problem = f"{count} records, and dataset_info.json says {expected[shard.name]}"
            problem = problem or index_problem(shard, places, index)
            if problem:
                problems.append(f"{shard}: {problem}")
    return problems


def expected_counts(folder: AnyPath) -> dict[str, int]:
    """How many records each shard of a region's folder should have, by name; empty where nothing says so."""
    path = folder / "dataset_info.json"
    if not path.is_file():
        return {}
    info = json.loads(path.read_text(encoding="utf-8"))
    counts = {}
    for split in info["splits"]:
        lengths = split["shardLengths"]
        for index, length in enumerate(lengths):
            name = f"{info['name']}-{split['name']}.tfrecord-{index:05d}-of-{len(lengths):05d}"
            counts[name] = int(length)
    return counts


def read_all(shard: AnyPath) -> tuple[list[Place], str]:
    """Where the records are whose checksums are right, and what stopped it, if anything."""
    places: list[Place] = []
    offset = 0
    try:
        for record in tf.data.TFRecordDataset(str(shard)):
            serialized = record.numpy()
            example = tf.train.Example.FromString(serialized)
            (clip_id,) = feature(example, "clip_id")
            places.append((offset, len(serialized), clip_id.decode()))
            offset += len(serialized) + RECORD_FRAME_BYTES
    except tf.errors.DataLossError as error:
        return places, f"record {len(places)} is damaged or cut off ({error.message.splitlines()[0]})"
    except Exception as error:  # protobuf's own exception has no public name in every version
        return places, f"record {len(places)} is no clip ({error})"
    return places, ""


def index_problem(shard: AnyPath, places: Sequence[Place], index: Mapping[str, Sequence[IndexedClip]]) -> str:
    """In what the index of the shard's folder is wrong about it; '' where it is right or there is none."""
    name = _SHARD_NAME.search(shard.name)
    if not index or not name:
        return ""
    listed = [
        (clip.offset, clip.length, clip.clip_id) for clip in index.get(shard_name(name[1], int(name[2])), ())
    ]
    wrong = [number for number, (ours, theirs) in enumerate(zip_longest(listed, places)) if ours != theirs]
    return (
        f"record {wrong[0]} is not where {INDEX_FILE} has it; run the same convert command again"
        if wrong
        else ""
    )


def find_clips(shards: Sequence[AnyPath], clip_id: str) -> Iterator[tuple[AnyPath, tf.train.Example]]:
    """The records of that clip: one a region.

    Raises:
        UserError: there is none.
    """
    found = False
    for shard in shards:
        for record in tf.data.TFRecordDataset(str(shard)):
            example = tf.train.Example.FromString(record.numpy())
            if feature(example, "clip_id") == [clip_id.encode()]:
                found = True
                yield shard, example
                break
    if not found:
        raise UserError(
            f"no clip '{clip_id}' in {len(shards)} shards; clips are named as videos in ledger.jsonl"
        )


def feature(example: tf.train.Example, name: str) -> list:
    """A feature's values, whatever their type."""
    value = example.features.feature[name]
    kind = value.WhichOneof("kind")
    return list(getattr(value, kind).value) if kind else []


def describe(example: tf.train.Example) -> Iterator[str]:
    """A line a feature; of images only their number and size."""
    for name in sorted(example.features.feature):
        values = feature(example, name)
        if name == "frames":
            shown = f"{len(values)} images, {sum(map(len, values)):,} bytes"
        elif name == "boxes":
            shown = "".join(f"\n    {row}" for row in np.round(values, 1).reshape(-1, 4).tolist())
        else:
            shown = ", ".join(
                value.decode() if isinstance(value, bytes) else f"{value:g}" for value in values
            )
        yield f"  {name}: {shown}"


def export(shards: Sequence[AnyPath], clip_id: str, target: Path | None) -> None:
    """Writes a clip as a strip of its frames or as a video.

    Raises:
        UserError: there is no such clip, several regions have it, or the file's ending is none of the two.
    """
    if target is None or target.suffix not in (".png", ".mp4"):
        raise UserError(f"--to={target} is no file to export to; use FILE.png or FILE.mp4")
    clips = list(find_clips(shards, clip_id))
    if len(clips) > 1:
        folders = ", ".join(str(shard.parent) for shard, _ in clips)
        raise UserError(f"'{clip_id}' is in {folders}; name one of them")
    ((_, example),) = clips
    images = [pixels(image, example) for image in feature(example, "frames")]
    if target.suffix == ".png":
        Image.fromarray(np.concatenate(images, axis=1)).save(target)
    else:
        write_video(target, images, feature(example, "timestamps"))
    print(f"{len(images)} frames in {target}")


def pixels(image: bytes, example: tf.train.Example) -> np.ndarray:
    """uint8 [H, W, 3] of an encoded image, or of bare pixels, which have no header to open."""
    (height,), (width,) = feature(example, "height"), feature(example, "width")
    if len(image) == height * width * 3:
        return np.frombuffer(image, np.uint8).reshape(height, width, 3)
    return np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))


def write_video(target: Path, images: Sequence[np.ndarray], timestamps: Sequence[float]) -> None:
    """An mp4 at the pace of the sampled frames, near lossless."""
    step = float(np.median(np.diff(timestamps))) if len(timestamps) > 1 else 0.0
    rate = round(min(max(1 / step if step > 0 else 25, 1), 60))
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "10"})
        # 4:2:0 needs even sides.
        stream.height, stream.width = (side - side % 2 for side in images[0].shape[:2])
        stream.pix_fmt = "yuv420p"
        for image in images:
            cut = np.ascontiguousarray(image[: stream.height, : stream.width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(cut, format="rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
