"""Grouped cross-validation: all originals and their fakes divided anew into folds, by connected component.

A fold's number says which group is tested; the next one validates, and the others train. Over all folds every
video is tested once, by a detector that has seen nobody who is joined with it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from deepfake_tfdata.clips.video import LABEL_NAMES
from deepfake_tfdata.errors import UserError

_FEWEST, _MOST = 3, 20  # one tests, one validates, one trains


@dataclass(frozen=True)
class Fold:
    """One of several ways to divide groups of videos into splits.

    Attributes:
        number: of the group that is tested, from 1.
        count: how many groups there are, and how many folds.
    """

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def split_of(self, group: int) -> str:
        """Train, val or test: what a group, from 1, is in this fold."""
        return {0: "test", 1: "val"}.get((group - self.number) % self.count, "train")


def parse_fold(text: str) -> Fold | None:
    """The fold in '2/5'; None of ''.

    Raises:
        UserError: it is no fold.
    """
    if not text.strip():
        return None
    number, slash, count = (part.strip() for part in text.partition("/"))
    # isdecimal allows digits that are not ASCII's, which int reads as well.
    if slash and number.isdecimal() and count.isdecimal():
        fold = Fold(int(number), int(count))
        if _FEWEST <= fold.count <= _MOST and 1 <= fold.number <= fold.count:
            return fold
    raise UserError(
        f"--fold={text} is no fold; use K/N such as 2/5, with N from {_FEWEST} to {_MOST} and K from 1 to N"
    )


def divide_components(sizes: Mapping[str, tuple[int, int]], count: int) -> dict[str, int]:
    """Divides components into groups that have about as many videos of each class.

    The largest first, each goes where its classes are rarest so far (longest processing time first, Graham
    1969; a load is a share of all videos of a class). Of equal ones the hash of the name decides.

    Args:
        sizes: by component, how many real and how many fake videos it has.
        count: of the groups.

    Returns:
        The group of each component, from 1.

    Raises:
        UserError: there are fewer components than groups, or a group lacks a class.
    """
    if len(sizes) < count:
        raise UserError(
            f"--fold divides {len(sizes)} groups of identities that fakes join, too few for {count} folds; "
            "use fewer folds, or records of more people"
        )
    all_real, all_fake = (sum(size[label] for size in sizes.values()) for label in range(2))
    # Shares of the other class's total instead of fractions, so that equal loads compare as equal.
    shares = {name: (real * all_fake, fake * all_real) for name, (real, fake) in sizes.items()}
    loads = [(0, 0)] * count
    groups = {}
    for name in sorted(shares, key=lambda name: (-sum(shares[name]), _digest(name), name)):
        real, fake = shares[name]
        # What it would add to the sum of squared loads, but for a constant.
        best = min(
            range(count),
            key=lambda group: (real * loads[group][0] + fake * loads[group][1], sum(loads[group])),
        )
        loads[best] = (loads[best][0] + real, loads[best][1] + fake)
        groups[name] = best + 1
    _require_both_classes(sizes, groups, count)
    return groups


def _require_both_classes(
    sizes: Mapping[str, tuple[int, int]], groups: Mapping[str, int], count: int
) -> None:
    for group in range(1, count + 1):
        for label, name in enumerate(LABEL_NAMES):
            if not any(sizes[component][label] for component, place in groups.items() if place == group):
                raise UserError(
                    f"--fold: group {group} of {count} would have no {name} video; use fewer folds, or "
                    "records in which more groups of identities that fakes join have both classes"
                )


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
