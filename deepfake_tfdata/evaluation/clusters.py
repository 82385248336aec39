"""Which videos depend on each other, and how resampling honours it.

A real video and the fakes made of it share a face, a scene and a codec; a fake shares its driver's face as
well. The independent units are the connected components of the identities that fakes join: in FaceForensics++
the pairs of its official lists. Where fakes join nearly everybody (Celeb-DF), one component would hold all.
Identities are drawn instead, and a video weighs as much as the product of its identities: A. B. Owen and
D. Eckles, Bootstrapping data arrays of arbitrary order, Annals of Applied Statistics 6 (2012), arXiv
1106.2125.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# A component that holds a larger share of the videos leaves too little to be independent of it.
_LARGEST_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Clusters:
    """The units that N videos are made of.

    Attributes:
        members: int [F, N], the units of each video, at most F: one if videos fall into separate components,
            two if they are made of two identities; -1 is none.
        count: of all units.
    """

    members: np.ndarray
    count: int

    @property
    def separate(self) -> bool:
        """Whether every video is of one unit only."""
        return len(self.members) == 1

    def select(self, rows: np.ndarray) -> "Clusters":
        """Those of some videos, int or bool index [N]; units without a video no longer count."""
        members = self.members[:, rows]
        kept, numbers = np.unique(members[members >= 0], return_inverse=True)
        renumbered = np.full(members.shape, -1)
        renumbered[members >= 0] = numbers
        return Clusters(renumbered, len(kept))

    def counts(self, labels: np.ndarray) -> tuple[int, int]:
        """Numbers of units that have a real video, and that have a fake one; of the first unit of each."""
        real, fake = (self._sizes(labels == label) for label in (0, 1))
        return len(real), len(fake)

    def effective_count(self, labels: np.ndarray) -> float:
        """How many units of one size the class with fewer is worth.

        Where one unit has many videos, fewer than there are: (sum n)^2 / sum n^2 of the numbers n of videos
        (L. Kish, Survey Sampling, 1965). A video of two units counts for its first.
        """
        return min(float(n.sum() ** 2 / np.sum(n**2)) for n in (self._sizes(labels == c) for c in (0, 1)))

    def _sizes(self, rows: np.ndarray) -> np.ndarray:
        """How many of some videos each unit has that has any."""
        sizes: np.ndarray = np.unique(self.members[0][rows], return_counts=True)[1]
        return sizes

    def draw(self, random: np.random.Generator, size: int) -> np.ndarray:
        """Weights of the videos in some resamples, float64 [size, N], of mean one.

        Separate units are drawn with replacement. Otherwise each unit has a weight out of an exponential
        distribution (D. B. Rubin, The Bayesian bootstrap, Annals of Statistics 9, 1981), so that no class is
        ever without videos.
        """
        if self.separate:
            even = np.full(self.count, 1 / self.count)
            return random.multinomial(self.count, even, size=size)[:, self.members[0]].astype(np.float64)
        units = np.ones((size, self.count + 1))  # the last one is that of -1
        units[:, :-1] = random.exponential(size=(size, self.count))
        return np.prod(units[:, self.members], axis=1)


def separate_clusters(names: np.ndarray) -> Clusters:
    """Clusters of videos that each are of one unit, whose name is given, [N]."""
    units, members = np.unique(names, return_inverse=True)
    return Clusters(members[None], len(units))


def identity_clusters(targets: np.ndarray, sources: np.ndarray) -> Clusters:
    """Clusters of videos that are made of two identities, str [N] each; '' is none."""
    names = np.stack([targets, sources])
    units, members = np.unique(names, return_inverse=True)
    members = members.reshape(names.shape)
    if units[0] == "":
        members, units = members - 1, units[1:]
    return Clusters(members, len(units))


def clusters_of(components: np.ndarray, targets: np.ndarray, sources: np.ndarray) -> Clusters:
    """The components, unless one of them holds more than half of the videos: then the identities.

    Args:
        components: str [N].
        targets, sources: str [N]; '' where there is no source.
    """
    _, sizes = np.unique(components, return_counts=True)
    if len(sizes) > 1 and sizes.max() <= _LARGEST_SHARE * len(components):
        return separate_clusters(components)
    identities = identity_clusters(targets, sources)
    return identities if identities.count > len(sizes) else separate_clusters(components)


def components_of(targets: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """The connected component of each video's identities, str [N], called by one of its identities.

    Args:
        targets, sources: str [N]; '' where there is no source.
    """
    names, members = np.unique(np.concatenate([targets, sources]), return_inverse=True)
    target, source = np.split(members, 2)
    has_source = sources != ""
    component = _components(len(names), target[has_source], source[has_source])
    _, first = np.unique(component, return_index=True)
    return names[first][component[target]]


def joined(groupings: Sequence[np.ndarray]) -> np.ndarray:
    """The finest grouping in which videos are together that any of several groupings has together.

    Args:
        groupings: str [N] each, the group of every video.

    Returns:
        str [N], the group of every video, called by its first video's group in the first grouping.
    """
    count, nodes = len(groupings[0]), len(groupings[0])
    ends = []
    for grouping in groupings:
        names, members = np.unique(grouping, return_inverse=True)
        ends.append(nodes + members)
        nodes += len(names)
    component = _components(nodes, np.tile(np.arange(count), len(groupings)), np.concatenate(ends))
    _, first, of_video = np.unique(component[:count], return_index=True, return_inverse=True)
    return np.asarray(groupings[0])[first][of_video]


def _components(nodes: int, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The number of the connected component of each node, int [nodes]."""
    # SciPy before 1.12 walks 32-bit positions only, and goes on after the error with none found.
    positions = starts.astype(np.int32), ends.astype(np.int32)
    graph = coo_array((np.ones(len(starts)), positions), shape=(nodes, nodes)).tocsr()
    numbers: np.ndarray = connected_components(graph, directed=False)[1]
    return numbers
