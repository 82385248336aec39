"""Some frames of a converted clip side by side, a row a region, read out of its records."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.records.example import damaged_record, read_example
from deepfake_tfdata.records.index import IndexedClip, read_index
from deepfake_tfdata.records.plan import ShardPlan
from deepfake_tfdata.reports.overlays import jpeg_file
from deepfake_tfdata.storage import AnyPath

FRAMES_SHOWN = 8
_CROP_WIDTH = 80  # pixels
_GAP = 2
_WHITE, _ORANGE = (255, 255, 255), (213, 94, 0)


class StripMaker:
    """Draws strips of the clips in a folder of records.

    Args:
        output: the folder.
        regions: whose crops to show, from top to bottom.
        spec: how the clips were made.
    """

    def __init__(self, output: AnyPath, regions: Sequence[str], spec: ClipSpec) -> None:
        self._output, self._spec = output, spec
        self._first_clips = {region: _first_clips(read_index(output / region)) for region in regions}

    def make(self, video_key: str, shard: ShardPlan) -> bytes:
        """A JPEG file: a row a region, a column a frame of the video's first clip.

        Args:
            video_key: of a video with clips.
            shard: where they are.

        Raises:
            UserError: a record has been damaged since it was written.
        """
        rows = [
            self._row(self._output / region / shard.file_name(region), clips[video_key])
            for region, clips in self._first_clips.items()
        ]
        return jpeg_file(np.concatenate(rows))

    def _row(self, shard: AnyPath, clip: IndexedClip) -> np.ndarray:
        """uint8 [height, width, 3]."""
        features = read_example(shard, clip).features.feature
        frames, found = features["frames"].bytes_list.value, features["face_found"].int64_list.value
        try:
            cells = [
                _cell(decode_frame(frames[index], self._spec.encoding, clip.height, clip.width), found[index])
                for index in _chosen(self._spec.num_frames)
            ]
            return np.concatenate(cells, axis=1)
        except (ValueError, IndexError) as error:
            raise damaged_record(shard, clip) from error


def decode_frame(image: bytes, encoding: str, height: int, width: int) -> np.ndarray:
    """The pixels of a stored image.

    Args:
        image: as in the record.
        encoding: of the clip spec.
        height, width: as in the record.

    Returns:
        uint8 [height, width, 3].

    Raises:
        ValueError: it is damaged.
    """
    if encoding == "raw":
        return np.frombuffer(image, np.uint8).reshape(height, width, 3)
    try:
        return np.asarray(Image.open(io.BytesIO(image), formats=[encoding]).convert("RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # a broken PNG is a SyntaxError
        raise ValueError(f"the {encoding} image is damaged: {error}") from error


def _first_clips(clips: Sequence[IndexedClip]) -> dict[str, IndexedClip]:
    """Each video's first clip by the video's key."""
    # The last to be entered stays.
    return {clip.video_key: clip for clip in reversed(clips)}


def _chosen(num_frames: int) -> list[int]:
    count = min(FRAMES_SHOWN, num_frames)
    return [round(step * (num_frames - 1) / max(count - 1, 1)) for step in range(count)]


def _cell(pixels: np.ndarray, found: int) -> np.ndarray:
    """A frame made small, in a border that says whether the face was found."""
    height, width, _ = pixels.shape
    size = (_CROP_WIDTH, max(1, round(_CROP_WIDTH * height / width)))
    small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
    cell = np.full((size[1] + 2 * _GAP, size[0] + 2 * _GAP, 3), _WHITE if found else _ORANGE, np.uint8)
    cell[_GAP:-_GAP, _GAP:-_GAP] = small
    return cell
