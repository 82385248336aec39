"""The converter's work on one video, from the file to the clips of every region."""

from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.clips.processed import FaceStatistics, ProcessedVideo
from deepfake_tfdata.clips.regions import Region
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.crop import crop, encode, grow_boxes, resize, whole_pixels
from deepfake_tfdata.video.decode import DecodedFrame, decode_frames
from deepfake_tfdata.video.detect import DETECTORS, Detector
from deepfake_tfdata.video.sampling import linspace_indices
from deepfake_tfdata.video.track import fill_gaps, follow_face, smooth_track, smoothing_window


def process_video(video: Video, spec: ClipSpec, regions: Sequence[Region]) -> ProcessedVideo:
    """Decodes a video once and makes the clips of every region.

    Args:
        video: the file and what is known about it.
        spec: how to sample, detect, track, crop and encode.
        regions: which regions to cut.

    Returns:
        The clips by region name, and how the face was followed.

    Raises:
        VideoError: the video can't be used; the error says why.
    """
    frames = decode_frames(video.path, partial(linspace_indices, num_frames=spec.num_frames))
    faces, found = _find_face(frames, spec)
    boxes = {region.name: whole_pixels(region.boxes(faces)) for region in regions}
    images: dict[str, list[bytes]] = {region.name: [] for region in regions}
    for time, frame in enumerate(frames):
        picture = frame.rgb()
        for name, region_boxes in boxes.items():
            cut = resize(crop(picture, region_boxes[time]), spec.frame_size)
            images[name].append(encode(cut, spec.encoding))
    clips = {
        region.name: Clip(
            clip_id=video.key,
            video=video,
            spec_hash=spec.hash,
            frames=images[region.name],
            height=spec.frame_size,
            width=spec.frame_size,
            frame_indices=np.array([frame.index for frame in frames], np.int64),
            timestamps=np.array([frame.timestamp for frame in frames], np.float32),
            boxes=boxes[region.name].astype(np.float32),
            face_found=found,
        )
        for region in regions
    }
    faces = FaceStatistics(frames_found=int(found.sum()), track="own")
    return ProcessedVideo({region: [clip] for region, clip in clips.items()}, faces)


def _find_face(frames: Sequence[DecodedFrame], spec: ClipSpec) -> tuple[np.ndarray, np.ndarray]:
    """The face crop in every frame, float32 [T, 4], and where the detector saw it, bool [T]."""
    detector = _detector(spec.detector)
    boxes, found = follow_face([detector(frame.grey()) for frame in frames])
    if spec.tracking == "smooth":
        boxes = smooth_track(boxes, found, smoothing_window(np.array([f.timestamp for f in frames])))
    else:
        boxes = fill_gaps(boxes, found)
    return grow_boxes(boxes, spec.margin), found


@lru_cache(maxsize=1)
def _detector(name: str) -> Detector:
    """One detector a process: loading a cascade takes longer than a frame."""
    return DETECTORS[name]()
