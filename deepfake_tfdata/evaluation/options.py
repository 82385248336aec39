"""What a user may choose of a comparison."""

from dataclasses import dataclass

from deepfake_tfdata.options import Options, option


@dataclass(frozen=True)
class ComparisonOptions(Options):
    """When two methods count as equal."""

    margin: float = option(0.02, "of AUC within which a difference would not matter", above=0, below=1)
