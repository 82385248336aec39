"""The crops of a video's clips, cut as its frames come by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.clips.regions import Region
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.crop import crop, grow_boxes, stored_form, stored_size, whole_pixels
from deepfake_tfdata.video.decode import ChosenFrames, DecodedFrame
from deepfake_tfdata.video.face_track import FaceTrack

# From a crop in its stored form, uint8 [height, width, 3], and the spec's encoding to bytes.
Encode = Callable[[np.ndarray, str], bytes]


@dataclass(frozen=True, eq=False)
class ClipPlace:
    """Where a clip is cut.

    Attributes:
        clip_id: of the clip.
        rows: int [T], its frames among the chosen ones, increasing.
        track: of its face.
        boxes: by region, int [T, 4].
    """

    clip_id: str
    rows: np.ndarray
    track: FaceTrack
    boxes: Mapping[str, np.ndarray]

    @classmethod
    def of(
        cls, clip_id: str, rows: np.ndarray, track: FaceTrack, spec: ClipSpec, regions: Sequence[Region]
    ) -> "ClipPlace":
        """The regions of a face that was found."""
        faces = grow_boxes(track.crops(spec.tracking), spec.margin)
        return cls(
            clip_id, rows, track, {region.name: whole_pixels(region.boxes(faces)) for region in regions}
        )

    def num_bytes(self, spec: ClipSpec) -> int:
        """Of its bare pixels."""
        sizes = [stored_size(spec, _common_size(boxes)) for boxes in self.boxes.values()]
        return sum(3 * height * width * len(self.rows) for height, width in sizes)


@dataclass
class _Crops:
    """The encoded crops of one region of a clip, and their size in pixels."""

    encoded: list[bytes] = field(default_factory=list)
    height: int = 0
    width: int = 0

    def add(self, image: np.ndarray, encoded: bytes) -> None:
        """One more crop, uint8 [height, width, 3]; all of a clip are of one size."""
        self.height, self.width = image.shape[:2]
        self.encoded.append(encoded)


def cut_clips(
    video: Video,
    frames: ChosenFrames,
    places: Sequence[ClipPlace],
    spec: ClipSpec,
    encode: Encode,
    watch: Callable[[int, DecodedFrame], object] = lambda row, frame: None,
) -> list[dict[str, Clip]]:
    """The clips at all places by region; the frames are gone through once.

    Args:
        video: where the frames are from.
        frames: the chosen ones.
        places: of the clips, which may share frames.
        spec: of the clips.
        encode: a crop.
        watch: called with every frame, too.
    """
    cutting = [_Cutting(place, spec, encode) for place in places]
    at: dict[int, list[_Cutting]] = {}
    for each in cutting:
        for row in each.place.rows.tolist():
            at.setdefault(row, []).append(each)
    for row, frame in enumerate(frames):
        watch(row, frame)
        picture = frame.rgb() if row in at else None
        for each in at.get(row, ()):
            assert picture is not None
            each.add(picture)
    return [each.clips(video, frames) for each in cutting]


class _Cutting:
    """One clip while its frames come by."""

    def __init__(self, place: ClipPlace, spec: ClipSpec, encode: Encode) -> None:
        self.place = place
        self._spec, self._encode = spec, encode
        self._sizes = {region: _common_size(boxes) for region, boxes in place.boxes.items()}
        self._crops = {region: _Crops() for region in place.boxes}
        self._time = 0

    def add(self, picture: np.ndarray) -> None:
        """The next frame, uint8 [H, W, 3]."""
        for region, boxes in self.place.boxes.items():
            stored = stored_form(crop(picture, boxes[self._time]), self._spec, self._sizes[region])
            self._crops[region].add(stored, self._encode(stored, self._spec.encoding))
        self._time += 1

    def clips(self, video: Video, frames: ChosenFrames) -> dict[str, Clip]:
        """By region, when all frames have come."""
        rows, track = self.place.rows, self.place.track
        return {
            region: Clip(
                clip_id=self.place.clip_id,
                video=video,
                spec_hash=self._spec.hash,
                frames=crops.encoded,
                height=crops.height,
                width=crops.width,
                frame_indices=frames.indices[rows].astype(np.int64),
                timestamps=frames.timestamps[rows].astype(np.float32),
                boxes=self.place.boxes[region].astype(np.float32),
                face_found=track.found,
            )
            for region, crops in self._crops.items()
        }


def _common_size(boxes: np.ndarray) -> tuple[int, int]:
    """Height and width of the median of int [T, 4] boxes: most of a zoom is reduced or enlarged by little."""
    width, height = np.median(boxes[:, 2:] - boxes[:, :2], axis=0)
    return round(height), round(width)
