"""Which of the validation's people are set aside for calibration: no training ever sees them.

Early stopping and the choice of the best epoch make a validation look better than it is. What a score is
worth has to be learned from videos of which nothing was chosen.
"""

import hashlib
from collections.abc import Iterable

# The name of the split that they are.
CALIBRATION = "calibration"
# With fewer components neither a validation nor a calibration would be worth much.
FEWEST_COMPONENTS = 10


def set_aside(videos: Iterable[tuple[str, int]], share: float) -> tuple[frozenset[str], str]:
    """The components that are set aside.

    It is those whose names have the smallest hashes, so that all conversions of the same videos, all regions
    and all runs set the same aside.

    Args:
        videos: component and label of every video of the validation, whether or not it gave a clip.
        share: of the components.

    Returns:
        Their names, and why there are none; one of both is empty.
    """
    labels: dict[str, set[int]] = {}
    for component, label in videos:
        labels.setdefault(component, set()).add(label)
    if not share:
        return frozenset(), "--calibration=0 asks for none"
    if len(labels) < FEWEST_COMPONENTS:
        return frozenset(), (
            f"there are {len(labels)} groups of people in the validation, fewer than {FEWEST_COMPONENTS}"
        )
    ordered = sorted(labels, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    count = min(max(1, round(share * len(ordered))), len(ordered) - 1)
    for part in (ordered[:count], ordered[count:]):
        if set().union(*(labels[name] for name in part)) != {0, 1}:
            return frozenset(), "the validation has too few people with videos of both classes"
    return frozenset(ordered[:count]), ""
