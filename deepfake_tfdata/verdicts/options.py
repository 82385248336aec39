"""What a user may choose of verdicts."""

from dataclasses import dataclass

from deepfake_tfdata.options import Options, option


@dataclass(frozen=True)
class VerdictOptions(Options):
    """What verdicts are held to."""

    max_false_alarms: float = option(
        50.0,
        "evidence is what at most so many of a thousand real videos like those of the calibration show",
        above=0,
        below=500,
    )
    max_clips: int = option(
        32, "of a video, spread over it; a longer one is judged by fewer than it could be", low=1, high=256
    )
