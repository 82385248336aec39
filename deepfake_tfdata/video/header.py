"""What a video file says of itself: container, codec, size, rate, and the settings that its encoder left."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

from deepfake_tfdata.clips.layouts.tree import IMAGE_SUFFIXES
from deepfake_tfdata.video.container import check_count, open_stream
from deepfake_tfdata.video.frame import DecodedFrame
from deepfake_tfdata.video.measures import bits_a_pixel

# x264 and x265 write their version and options into the first picture's supplemental information, FFmpeg's
# and XviD's encoders of MPEG-4 theirs into its user data.
_ENCODER = re.compile(rb"x264 - core[^\0]*|x265 \(build[^\0]*|Lavc[\d.]+|XviD[\d.]*")
_OPTIONS = re.compile(r" - options: (.*)")
_PACKETS_WITH_ENCODER = 3


@dataclass(frozen=True)
class Header:
    """Of a video file, or of a folder of images as far as it has such.

    Attributes:
        container, codec: FFmpeg's names; of images their ending.
        encoder: its name and version; '' where the file does not say.
        options: of the encoder, such as {'crf': '23.0'}.
        width, height: of a frame as it is coded, pixels; 0 of images.
        frames_per_second: 0 where nothing is said.
        num_frames: packets that are shown.
        seconds: from the first to the last of these, and one frame more; 0 of images.
        file_bytes, video_bytes: of the file, and of its video without sound and container.
        has_sound: whether there is a stream of it.
    """

    container: str
    codec: str
    encoder: str
    options: Mapping[str, str] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    frames_per_second: float = 0.0
    num_frames: int = 0
    file_bytes: int = 0
    video_bytes: int = 0
    has_sound: bool = False
    seconds: float = 0.0

    @property
    def crf(self) -> float | None:
        """The constant rate factor that it was encoded with: 23 of FaceForensics++'s c23."""
        try:
            return float(self.options["crf"])
        except (KeyError, ValueError):
            return None

    @property
    def settings(self) -> str:
        """The encoder's options in one line, without those that follow from size and machine."""
        return " ".join(f"{name}={value}" for name, value in self.options.items() if name not in _OF_MACHINE)

    @property
    def bits_a_pixel(self) -> float | None:
        """Bits of the coded video for every pixel of it; None where that is not known."""
        return bits_a_pixel(self.video_bytes, self.width, self.height, self.num_frames)


_OF_MACHINE = ("crf", "threads", "lookahead_threads", "sliced_threads", "ref")


def read_header(path: str) -> Header:
    """Reads a file's packets and decodes none; VideoError where it can't be read."""
    if Path(path).is_dir():
        return _of_images(Path(path))
    with open_stream(path) as (container, stream):
        context = stream.codec_context
        num_frames = size = 0
        encoder = _encoder(context.extradata or b"")
        times: set[int] = set()
        for position, packet in enumerate(container.demux(stream)):
            if packet.size and not packet.is_discard:
                num_frames += 1
                if packet.pts is not None:
                    times.add(packet.pts)
            check_count(num_frames)
            size += packet.size
            if not encoder and position < _PACKETS_WITH_ENCODER:
                encoder = _encoder(bytes(packet))
        name, _, _ = encoder.partition(" - options: ")
        return Header(
            container=container.format.name,
            codec=context.name,
            encoder=name,
            options=parse_options(encoder),
            width=context.width,
            height=context.height,
            frames_per_second=round(float(stream.average_rate or 0), 3),
            num_frames=num_frames,
            file_bytes=Path(path).stat().st_size,
            video_bytes=size,
            has_sound=bool(container.streams.audio),
            seconds=_seconds(times, num_frames, stream),
        )


def _seconds(times: set[int], num_frames: int, stream: av.VideoStream) -> float:
    """How long frames at these times, in the stream's units, are shown; by the rate where they have none."""
    if len(times) < 2 or not stream.time_base:
        return num_frames / float(stream.average_rate or 25)
    return float((max(times) - min(times)) * stream.time_base * len(times) / (len(times) - 1))


def describe(header: Header, frame: DecodedFrame) -> dict[str, Any]:
    """What a person wants to know of a file, plain values: its header, and how its frames are shown."""
    height, width = frame.grey().shape
    bits = header.bits_a_pixel
    return {
        "container": header.container,
        "codec": header.codec,
        "encoder": header.encoder,
        "width": width,
        "height": height,
        "rotation": frame.rotation,
        "frames_per_second": header.frames_per_second,
        "num_frames": header.num_frames,
        "seconds": round(header.seconds, 3),
        "bits_a_pixel": None if bits is None else round(bits, 5),
        "has_sound": header.has_sound,
        "file_bytes": header.file_bytes,
    }


def parse_options(encoder: str) -> dict[str, str]:
    """The options in x264's or x265's text: 'x264 - core 164 - ... - options: cabac=1 ref=3 ... crf=23.0'."""
    found = _OPTIONS.search(encoder)
    pairs = (token.partition("=") for token in (found[1].split() if found else []))
    return {name: value for name, _, value in pairs}


def _encoder(data: bytes) -> str:
    found = _ENCODER.search(data)
    return found[0].decode("ascii", errors="replace") if found else ""


def _of_images(folder: Path) -> Header:
    files = [file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES]
    endings = sorted({file.suffix.lower().lstrip(".") for file in files})
    size = sum(file.stat().st_size for file in files)
    name = "+".join(endings)
    return Header(f"{name} images", name, "", num_frames=len(files), file_bytes=size, video_bytes=size)


# Of a file that nobody has read.
NO_HEADER = Header("", "", "")
