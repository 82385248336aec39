"""Why a video gave no clip."""

from deepfake_tfdata.clips.processed import FaceStatistics


class VideoError(Exception):
    """A video that can't be used.

    Attributes:
        status: the ledger's word for it, such as 'unreadable'.
        reason: a sentence for a person.
        faces: how far the face was followed.
    """

    def __init__(self, status: str, reason: str, faces: FaceStatistics | None = None) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.faces = faces or FaceStatistics()


class NoFaceError(VideoError):
    """The face was found in no frame."""

    def __init__(self, faces: FaceStatistics | None = None) -> None:
        super().__init__("no_face", "no face was found in any of the sampled frames", faces)


class WrongFaceError(VideoError):
    """The face that was followed is not the manipulated one."""

    def __init__(self, faces: FaceStatistics) -> None:
        super().__init__(
            "wrong_face",
            f"{faces.mask_overlap:.0%} of the manipulated area lie in the face that was followed; the face "
            "that the mask shows was not found",
            faces,
        )


class FewFacesError(VideoError):
    """The face was found too rarely in every clip."""

    def __init__(self, faces: FaceStatistics, num_frames: int, min_found: float) -> None:
        super().__init__(
            "few_faces",
            f"the face was found in {faces.frames_found} of {num_frames} sampled frames, "
            f"and --min_found asks for {min_found:.0%} of a clip",
            faces,
        )
