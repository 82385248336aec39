"""The cells of a study: detectors that differ in one thing each, and the comparisons between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.studies.options import StudyOptions

# The arms on dilution, as views; see the README. What each step from one to the next adds has a name.
MOUTH, REDUCED, ONLY, WHOLE = "mouth", "mouth_reduced", "mouth_only", "whole"
ARMS = (WHOLE, ONLY, REDUCED, MOUTH)
STEPS = {"information": (MOUTH, REDUCED), "magnification": (REDUCED, ONLY), "context": (ONLY, WHOLE)}
TOTAL = (MOUTH, WHOLE)
# They look at more than the face.
CONTROLS = ("control", "background")


@dataclass(frozen=True)
class Cell:
    """One kind of detector.

    Attributes:
        region: whose records it reads.
        view: what it sees of them; '' is all.
        head: of the detector.
    """

    region: str
    view: str
    head: str

    @property
    def name(self) -> str:
        """Such as 'mouth/attention' or 'full.mouth_reduced/attention'."""
        return f"{'.'.join(filter(None, (self.region, self.view)))}/{self.head}"

    @property
    def folder(self) -> str:
        """The name as a folder's."""
        return self.name.replace("/", "_")


@dataclass(frozen=True)
class Contrast:
    """Two cells, by name, of which the first is set against the second."""

    first: str
    second: str

    @property
    def name(self) -> str:
        """As --primary takes it."""
        return f"{self.first}:{self.second}"


def cells_of(options: StudyOptions) -> list[Cell]:
    """All cells: the grid of regions and heads, then the arms and the curve, each once."""
    grid = [Cell(*_region_and_view(region), head) for region in options.regions for head in options.heads]
    views: list[str] = []
    if options.has_arms:
        views += [*ARMS, *(CONTROLS if options.arms == "wide" else ())]
        views += [retained(share) for share in options.retentions]
    return list(dict.fromkeys([*grid, *(Cell(options.arms, view, options.heads[0]) for view in views)]))


def retained(share: str) -> str:
    """The view of the square mouth at a retention; at 1 it is the arm itself."""
    return MOUTH if float(share) == 1 else f"{MOUTH}@{float(share):g}"


def primary_of(options: StudyOptions, cells: Sequence[Cell]) -> Contrast:
    """The comparison that decides.

    Raises:
        UserError: none is given where none follows, or it is no comparison of two cells.
    """
    if options.primary:
        return _contrast("--primary", options.primary, cells)
    if options.has_arms:
        return arm_contrast(options, *STEPS["information"])
    names = [cell.name for cell in cells]
    if len(names) == 2:
        return Contrast(names[-1], names[0])
    raise UserError(f"--primary is missing; name the comparison that decides, such as {names[-1]}:{names[0]}")


def secondary_of(options: StudyOptions, cells: Sequence[Cell], primary: Contrast) -> list[Contrast]:
    """The comparisons that are judged together.

    Raises:
        UserError: one is no comparison of two cells, or of two that another comparison has.
    """
    if options.secondary:
        chosen = [_contrast("--secondary", text, cells) for text in options.secondary]
    elif options.has_arms:
        chosen = [arm_contrast(options, *ends) for ends in (*STEPS.values(), TOTAL)]
        chosen = [each for each in chosen if each != primary]
    else:
        chosen = []
    seen = [{primary.first, primary.second}]
    for each in chosen:
        pair = {each.first, each.second}
        if pair in seen:
            raise UserError(
                f"--secondary={each.name} compares two cells that another comparison has; leave it out"
            )
        seen.append(pair)
    return chosen


def exploratory_of(cells: Sequence[Cell], told: Sequence[Contrast]) -> list[Contrast]:
    """Every cell that is not in another comparison with it, against the primary's second.

    Args:
        cells: all.
        told: the primary comparison, then the secondary ones.
    """
    reference = told[0].second
    others = [Contrast(cell.name, reference) for cell in cells if cell.name != reference]
    pairs = [{each.first, each.second} for each in told]
    return [each for each in others if {each.first, each.second} not in pairs]


def arm_contrast(options: StudyOptions, first: str, second: str) -> Contrast:
    """The comparison of two arms, by their views."""
    return Contrast(*(Cell(options.arms, view, options.heads[0]).name for view in (first, second)))


def _contrast(flag: str, text: str, cells: Sequence[Cell]) -> Contrast:
    names = [cell.name for cell in cells]
    first, _, second = text.partition(":")
    for name in (first, second):
        if name not in names:
            raise UserError(f"{flag}={text} is no A:B of two cells; choose from {', '.join(names)}")
    if first == second:
        raise UserError(f"{flag}={text} sets {first} against itself; name two cells")
    return Contrast(first, second)


def _region_and_view(text: str) -> tuple[str, str]:
    region, _, view = text.partition(".")
    return region, view
