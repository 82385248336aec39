"""The clips as records, as lossless arrays, and in the other loaders' formats."""

import importlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from tools.benchmark_input.rows import COMBINATIONS, PEERS_COMBINATION, Row, records_folder
from tools.benchmark_input.source import Source

_LOSSLESS = ("png", "webp", "raw")


def convert(
    source: Path, work: Path, region: str, flags: list[str], rows: Sequence[Row]
) -> dict[tuple[str, str], str]:
    """Makes records of every combination that some rows need: their own, the peers', and a lossless one.

    Returns:
        The combinations that the convert command refused, with what it said.

    Raises:
        SystemExit: it failed otherwise.
    """
    needed = {PEERS_COMBINATION, *(row.combination for row in rows), *((row.geometry, "raw") for row in rows)}
    refused = {}
    for geometry, encoding in COMBINATIONS:
        if (geometry, encoding) not in needed:
            continue
        output = work / records_folder(geometry, encoding)
        if _is_complete(output):  # the command would find that out, too, but slowly
            continue
        command = [
            sys.executable,
            "-m",
            "deepfake_tfdata.convert",
            f"--source={source}",
            f"--output={output}",
        ]
        command += [f"--regions={region}", f"--geometry={geometry}", f"--encoding={encoding}", *flags]
        result = subprocess.run(command, capture_output=True, text=True)
        said = (result.stderr.strip().splitlines() or [""])[-1]
        if result.returncode == 2:
            refused[geometry, encoding] = said.removeprefix("error: ")
        elif result.returncode:
            raise SystemExit(f"error: convert failed for {geometry} {encoding}: {said}")
    if PEERS_COMBINATION in refused:
        raise SystemExit(f"error: no records to compare with: {refused[PEERS_COMBINATION]}")
    return refused


def write_references(work: Path, region: str) -> None:
    """Writes a lossless .npy a clip for every geometry that has a lossless combination."""
    for geometry, encoding in COMBINATIONS:
        records = work / records_folder(geometry, encoding)
        if encoding in _LOSSLESS and (records / region).exists():
            _write_once(work / "reference" / geometry, lambda folder, of=records: _save(of, region, folder))


def write_peers(work: Path, region: str, rows: Sequence[Row]) -> None:
    """Writes the same encoded images in the format of every loader that is installed."""
    records = work / records_folder(*PEERS_COMBINATION)
    for row in rows:
        loader = importlib.import_module(f"tools.benchmark_input.peers.{row.loader}")
        if hasattr(loader, "write") and not row.missing():
            clips = (frames for frames, _, _ in read_clips(records, region))
            _write_once(work / row.data, lambda folder, of=clips, write=loader.write: write(of, folder))


def read_clips(records: Path, region: str) -> Iterator[tuple[list[bytes], int, int]]:
    """The encoded frames of every clip, and their height and width."""
    import tensorflow as tf

    from deepfake_tfdata.input.shards import find_shards

    for serialized in tf.data.TFRecordDataset(find_shards(records, region, "train").files(0)):
        feature = tf.train.Example.FromString(serialized.numpy()).features.feature
        height, width = (feature[name].int64_list.value[0] for name in ("height", "width"))
        yield list(feature["frames"].bytes_list.value), height, width


def bytes_a_clip(source: Source) -> int:
    """What a clip takes on disk in a loader's format."""
    region = source.folder / source.region
    files = (region if region.exists() else source.folder).rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file()) // source.num_clips


def _is_complete(records: Path) -> bool:
    conversion = records / "conversion.json"
    return conversion.exists() and json.loads(conversion.read_text())["complete"]


def _save(records: Path, region: str, folder: Path) -> None:
    """Decodes without TensorFlow, so that it checks what TensorFlow decodes."""
    from PIL import Image

    encoding = json.loads((records / "conversion.json").read_text())["spec"]["encoding"]
    for index, (frames, height, width) in enumerate(read_clips(records, region)):
        if encoding == "raw":
            clip = np.frombuffer(b"".join(frames), np.uint8).reshape(-1, height, width, 3)
        else:
            clip = np.stack([np.asarray(Image.open(io.BytesIO(frame))) for frame in frames])
        np.save(folder / f"{index:05d}.npy", clip)


def _write_once(folder: Path, write: Callable[[Path], None]) -> None:
    """Lets `write` fill a folder, unless an earlier run has."""
    if folder.exists():
        return
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    write(unfinished)
    unfinished.rename(folder)
