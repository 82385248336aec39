"""What a user may choose of the face detectors."""

from dataclasses import dataclass

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.options import Options, option
from deepfake_tfdata.video.detectors.yunet_model import cached_model

# Which option names what a detector reads.
_FILES = {"yunet": "detector_model", "boxes": "boxes"}


@dataclass(frozen=True)
class DetectorOptions(Options):
    """What the face detector reads."""

    detector_model: str = option(
        "",
        "ONNX file of YuNet, for --detector=yunet; without it one is downloaded once, 0.2 MB",
        is_path=True,
    )
    boxes: str = option(
        "",
        "folder with MANIPULATION/VIDEO_ID.csv files of frame,left,top,right,bottom, for --detector=boxes",
        is_path=True,
    )

    def path_for(self, detector: str) -> str:
        """The file or folder that a detector reads; '' where it reads none.

        YuNet's file need not be there yet: loading the detector provides it.

        Raises:
            UserError: it is not given, or one is given that the detector does not read.
        """
        for name, option_name in _FILES.items():
            if getattr(self, option_name) and name != detector:
                raise UserError(f"--{option_name} is for --detector={name}, not for --detector={detector}")
        if detector not in _FILES:
            return ""
        path: str = getattr(self, _FILES[detector])
        if not path and detector == "yunet":
            return str(cached_model())
        if not path:
            raise UserError(f"--detector={detector} needs --{_FILES[detector]}; name its file or folder")
        return path
