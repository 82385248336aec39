"""The converter's work on one video, from the file to the clips of every region."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.regions import Region
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.crop import crop, encode, grow_boxes, stored_form, whole_pixels
from deepfake_tfdata.video.decode import ChosenFrames
from deepfake_tfdata.video.detectors import Detector, load_detector
from deepfake_tfdata.video.errors import FewFacesError, NoFaceError, WrongFaceError
from deepfake_tfdata.video.faces import FaceTrack, face_statistics, follow_faces
from deepfake_tfdata.video.mask import MIN_MASK_OVERLAP


@dataclass
class Crops:
    """The encoded crops of one region of a clip, and their size in pixels."""

    encoded: list[bytes] = field(default_factory=list)
    height: int = 0
    width: int = 0

    def add(self, image: np.ndarray, encoding: str) -> None:
        """Encodes one more crop, uint8 [height, width, 3]; all of a clip are of one size."""
        self.height, self.width = image.shape[:2]
        self.encoded.append(encode(image, encoding))


def process_video(
    video: Video, spec: ClipSpec, regions: Sequence[Region], detector_path: str = ""
) -> ProcessedVideo:
    """Decodes a video once and makes the clips of every region.

    Args:
        video: the file and what is known about it.
        spec: how to sample, detect, track, crop and encode.
        regions: which regions to cut.
        detector_path: the model file or the folder of boxes that the detector reads; '' where it reads none.

    Returns:
        The clips by region name, and how the face was followed. Clips with too few faces are left out.

    Raises:
        VideoError: the video can't be used; the error says why.
    """
    followed = follow_faces(video, spec, _detector(spec.detector, detector_path))
    frames, tracks = followed.sampled.frames, followed.tracks
    faces = face_statistics(followed)
    if faces.frames_found == 0:
        raise NoFaceError(faces)
    if faces.mask_overlap is not None and faces.mask_overlap < MIN_MASK_OVERLAP:
        raise WrongFaceError(faces)
    if not any(track.is_usable(spec.min_found) for track in tracks):
        raise FewFacesError(faces, len(frames), spec.min_found)
    boxes = [_region_boxes(track, spec, regions) for track in tracks]
    images = _cut(frames, boxes, spec)

    def clip(number: int, region: str) -> Clip:
        span = slice(number * spec.num_frames, (number + 1) * spec.num_frames)
        return Clip(
            clip_id=video.key if spec.clips_per_video == 1 else f"{video.key}#{number}",
            video=video,
            spec_hash=spec.hash,
            frames=images[number][region].encoded,
            height=images[number][region].height,
            width=images[number][region].width,
            frame_indices=frames.indices[span].astype(np.int64),
            timestamps=frames.timestamps[span].astype(np.float32),
            boxes=boxes[number][region].astype(np.float32),
            face_found=tracks[number].found,
        )

    usable = [number for number, placed in enumerate(boxes) if placed]
    return ProcessedVideo({r.name: [clip(number, r.name) for number in usable] for r in regions}, faces)


def _region_boxes(track: FaceTrack, spec: ClipSpec, regions: Sequence[Region]) -> dict[str, np.ndarray]:
    """The int [T, 4] boxes of a clip by region; none where the face was found too rarely."""
    if not track.is_usable(spec.min_found):
        return {}
    faces = grow_boxes(track.crops(spec.tracking), spec.margin)
    return {region.name: whole_pixels(region.boxes(faces)) for region in regions}


def _cut(
    frames: ChosenFrames, boxes: Sequence[dict[str, np.ndarray]], spec: ClipSpec
) -> list[dict[str, Crops]]:
    """The crops of every clip by region; boxes as _region_boxes gives them for each clip."""
    images = [{region: Crops() for region in placed} for placed in boxes]
    for position, frame in enumerate(frames):
        number, time = divmod(position, spec.num_frames)
        if not boxes[number]:
            continue
        picture = frame.rgb()
        for region, placed in boxes[number].items():
            images[number][region].add(stored_form(crop(picture, placed[time]), spec), spec.encoding)
    return images


@lru_cache(maxsize=1)
def _detector(name: str, path: str) -> Detector:
    """One detector a process: loading a model takes longer than a frame."""
    return load_detector(name, path)
