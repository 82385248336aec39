"""How many of the videos that a split should have were scored: of each class, and of each method."""

from collections.abc import Mapping
from dataclasses import dataclass

from deepfake_tfdata.evaluation.predictions import Predictions

CLASSES = ("real", "fake")
# By class and method ('original' or what made the fake), a number of videos.
Planned = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Coverage:
    """Planned and scored videos.

    Attributes:
        planned: all videos of the split, those without a usable face too.
        scored: those of them that have a score.
    """

    planned: Planned
    scored: Planned

    @property
    def num_planned(self) -> int:
        """All videos of the split."""
        return sum(sum(methods.values()) for methods in self.planned.values())

    @property
    def total(self) -> float:
        """The share of all videos that was scored."""
        return sum(sum(methods.values()) for methods in self.scored.values()) / self.num_planned

    @property
    def by_class(self) -> dict[str, float]:
        """The share of each class's videos, of those classes that the split has."""
        sums = {name: sum(methods.values()) for name, methods in self.planned.items()}
        return {name: sum(self.scored[name].values()) / count for name, count in sums.items() if count}

    @property
    def by_method(self) -> dict[str, float]:
        """The share of each method's fakes, by its name in order."""
        return {
            method: self.scored["fake"].get(method, 0) / count
            for method, count in sorted(self.planned["fake"].items())
        }


def coverage_of(videos: Predictions, planned: Planned | None) -> Coverage:
    """Counts what was scored.

    Args:
        videos: one row a video.
        planned: None where nothing but what was scored is known.

    Raises:
        ValueError: more videos were scored than were planned.
    """
    scored: dict[str, dict[str, int]] = {name: {} for name in CLASSES}
    for label, method in zip(videos.labels.tolist(), videos.manipulations.tolist(), strict=True):
        methods = scored[CLASSES[label]]
        methods[method] = methods.get(method, 0) + 1
    if planned is None:
        return Coverage(scored, scored)
    for name in CLASSES:
        for method, count in scored[name].items():
            split_has = planned[name].get(method, 0)
            if count > split_has:
                raise ValueError(
                    f"{count} {name} videos of {method} were scored, but the split has {split_has}"
                )
    return Coverage(planned, scored)
