"""How fast conversion is: decoding alone, this converter, and the plain way that scripts do it.

    python -m tools.benchmark_convert --heights=480,720,1080 --frames=300 --repeats=3

Makes videos of a photographed face that moves over a textured background with camera noise, H.264 at crf 23,
and measures at each height, in turn, so that other load hits all alike:

  decode      every frame decoded with PyAV on one thread, nothing else
  convert     this converter in one process: 32 frames, detection, three regions, native crops
  plain       OpenCV seeks to each of 32 frames, Haar on the full frame, three cubic resizes, np.save
  1 worker, 2 workers   seconds a video inside worker processes, without their start; decoding alone in them
              is what two processes can gain on this machine

and the peak memory of a converting process. Prints a table of medians; --output=NAME also writes NAME.md and
NAME.json. On a machine with other work the ratio of processor times says more than the ratio of seconds.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np

from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.cores import available_cores
from deepfake_tfdata.records.worker import Work
from deepfake_tfdata.records.worker_pool import process_in_order
from deepfake_tfdata.storage import user_path
from deepfake_tfdata.video.process import process_video

SPEC = ClipSpec()
_REGIONS = [REGIONS[name] for name in ("full", "eyes", "mouth")]
# Where the head is in the photograph, and how long its face is there.
_HEAD, _FACE_SIDE = (slice(0, 200), slice(120, 330)), 105
_VIDEOS_A_WORKER = 6
_CONVERT = partial(process_video, spec=SPEC, regions=_REGIONS)


def main(arguments: list[str] | None = None) -> None:
    """Makes the videos, measures, prints."""
    options = parse_arguments(arguments)
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(height, options.frames, options.repeats, Path(folder)) for height in options.heights]
    result = {"cores": available_cores(), "load": os.getloadavg()[0], "frames": options.frames, "rows": rows}
    print(markdown_table(result))
    if options.output:
        options.output.with_suffix(".md").write_text(markdown_table(result) + "\n")
        options.output.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n")


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "--heights", type=lambda text: [int(height) for height in text.split(",")], default=[480, 720, 1080]
    )
    parser.add_argument("--frames", type=int, default=300, help="frames a video")
    parser.add_argument("--repeats", type=int, default=3, help="of which the median counts")
    parser.add_argument("--output", type=user_path, help="name of the .md and .json to write")
    return parser.parse_args(arguments)


def measure(height: int, frames: int, repeats: int, folder: Path) -> dict[str, float]:
    """The medians for one height, in seconds a video, and the peak memory in MB."""
    path = write_video(folder / f"{height}.mp4", moving_face(height, frames))
    video = Video(str(path), path.stem, 0, "original", path.stem)
    ways: dict[str, Callable[[], object]] = {
        "decode": partial(decode, path),
        "convert": partial(convert, video),
        "plain": partial(plain, path, folder / "plain.npy"),
    }
    ways["convert"]()  # loads the cascade
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats):
        for name, way in ways.items():
            start, start_cpu = time.perf_counter(), time.process_time()
            way()
            seconds[name].append(time.perf_counter() - start)
            seconds[f"{name}_cpu"].append(time.process_time() - start_cpu)
        for count, name in enumerate(("one_worker", "two_workers"), start=1):
            seconds[name].append(with_workers(video, count, _CONVERT))
            seconds[f"{name}_decoding"].append(with_workers(video, count, _only_decode))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {"height": height, **medians, "peak_memory_mb": peak_memory(path)}


def decode(path: Path) -> int:
    """Decodes every frame on one thread; how many there were."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        return sum(1 for _ in container.decode(stream))


def convert(video: Video) -> None:
    """What a worker does with a video."""
    _CONVERT(video)


def plain(path: Path, output: Path) -> None:
    """What scripts do: seek, detect on the full frame, crop, cubic resize, save."""
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    capture = cv2.VideoCapture(str(path))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    crops = []
    for index in np.linspace(0, count - 1, SPEC.num_frames).astype(int):
        capture.set(cv2.CAP_PROP_POS_FRAMES, int(index))
        ok, frame = capture.read()
        faces = cascade.detectMultiScale(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), 1.1, 5) if ok else ()
        if not len(faces):
            continue
        left, top, width, height = max(faces, key=lambda box: box[2] * box[3])
        face = frame[top : top + height, left : left + width]
        strip = round(0.35 * height)
        for part in (face, face[:strip], face[-strip:]):
            crops.append(cv2.resize(part, (SPEC.frame_size,) * 2, interpolation=cv2.INTER_CUBIC))
    capture.release()
    np.save(output, np.array(crops))


def _only_decode(video: Video) -> ProcessedVideo:
    decode(Path(video.path))
    return ProcessedVideo()


def with_workers(video: Video, workers: int, work: Work) -> float:
    """Seconds a video when that many processes work at once, from the first result on to the last."""
    videos = [video] * (workers * (_VIDEOS_A_WORKER + 1))
    finished = []
    for _, outcome in process_in_order(videos, work, workers):
        if outcome.status != "ok":
            raise SystemExit(f"error: {outcome.reason}")
        finished.append(time.perf_counter())
    # The first video of every worker includes the start of its process.
    return (finished[-1] - finished[workers - 1]) / (len(finished) - workers)


def peak_memory(path: Path) -> float:
    """MB that a process of its own takes at most to convert the video."""
    code = (
        "import sys; from tools.benchmark_convert import convert, Video, own_peak; "
        "convert(Video(sys.argv[1], '0', 0, 'original', '0')); print(own_peak())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    return float(result.stdout)


def own_peak() -> float:
    """MB that this process has taken at most; Linux only, since getrusage counts the parent's memory too."""
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(peak[1]) / 1000


def moving_face(
    height: int, frames: int, share: float = 0.4, noise: float = 3, seed: int = 0
) -> Iterator[np.ndarray]:
    """uint8 [height, width, 3] frames of 16:9 with a photographed face `share` times as high, and noise."""
    width = round(height * 16 / 9 / 2) * 2
    random = np.random.default_rng(seed)
    texture = _texture(random, height + 64, width + 64)
    grain = [random.normal(0, noise, (height, width, 3)).astype(np.float32) for _ in range(4)]
    head = _photograph()[_HEAD]
    zoom = share * height / _FACE_SIDE
    for time_ in range(frames):
        left = width * (0.25 + 0.05 * np.sin(time_ / 20))
        top = height * (0.10 + 0.03 * np.cos(time_ / 15))
        x, y = round(32 + 16 * np.sin(time_ / 30)), round(32 + 16 * np.cos(time_ / 30))
        frame = texture[y : y + height, x : x + width].copy()
        matrix = np.float32([[zoom, 0, left], [0, zoom, top]])
        cv2.warpAffine(head, matrix, (width, height), dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
        yield np.clip(frame + grain[time_ % 4], 0, 255).astype(np.uint8)


def _texture(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    layers = [
        cv2.resize(random.normal(0, 10, (height // step + 2, width // step + 2, 3)), (width, height))
        for step in (4, 16, 64)
    ]
    return np.clip(120 + sum(layers), 0, 255).astype(np.uint8)


def _photograph() -> np.ndarray:
    try:
        from skimage.data import astronaut
    except ImportError:
        sys.exit("error: the photograph comes with scikit-image; pip install '.[dev]'")
    return astronaut()


def write_video(path: Path, frames: Iterator[np.ndarray]) -> Path:
    """H.264 at crf 23 and 25 frames a second."""
    first = next(frames)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "23"}
        for frame in chain([first], frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def markdown_table(result: dict) -> str:
    """The rows as a table, with the ratios that follow from them."""
    columns: dict[str, Callable[[dict[str, float]], str]] = {
        "height": lambda row: f"{row['height']}",
        "decode": lambda row: f"{row['decode']:.2f}",
        "convert": lambda row: f"{row['convert']:.2f}",
        "plain": lambda row: f"{row['plain']:.2f}",
        "convert / decode": lambda row: f"{row['convert'] / row['decode']:.1f}",
        "in CPU time": lambda row: f"{row['convert_cpu'] / row['decode_cpu']:.1f}",
        "plain / convert": lambda row: f"{row['plain'] / row['convert']:.1f}",
        "1 worker": lambda row: f"{row['one_worker']:.2f}",
        "2 workers": lambda row: f"{row['two_workers']:.2f}",
        "1 / 2 workers": lambda row: f"{row['one_worker'] / row['two_workers']:.2f}",
        "decoding alone": lambda row: f"{row['one_worker_decoding'] / row['two_workers_decoding']:.2f}",
        "peak MB": lambda row: f"{row['peak_memory_mb']:.0f}",
    }
    cells = [list(columns), ["---"] * len(columns)]
    cells += [[show(row) for show in columns.values()] for row in result["rows"]]
    about = (
        f"Seconds a video of {result['frames']} frames; {result['cores']} cores, load {result['load']:.1f}."
    )
    return "\n".join([about, "", *("| " + " | ".join(line) + " |" for line in cells)])


if __name__ == "__main__":
    main()
