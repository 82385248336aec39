"""Which videos are independent of which: what a test resamples, permutes and holds out together."""

from collections import Counter
from collections.abc import Iterable, Mapping

from deepfake_tfdata.clips.splits import connected_components
from deepfake_tfdata.clips.video import Video

# As when splits are made: where everybody is swapped with everybody, one component holds all, and nothing
# could be held out of anything. Then the identity that is seen counts.
_LARGEST_COMPONENT = 20


def independent_units(videos: Iterable[Video], groups: Mapping[str, str] | None = None) -> dict[str, str]:
    """The unit of every video, by its key: its component of identities, or the identity that is seen.

    Args:
        videos: of one data set.
        groups: the source video of identities that are cut from one.
    """
    videos, groups = list(videos), groups or {}
    members = [[groups.get(name, name) for name in video.identities] for video in videos]
    first = connected_components(members)
    size = Counter(first.values())
    return {
        video.key: first[own[0]] if size[first[own[0]]] <= _LARGEST_COMPONENT else own[0]
        for video, own in zip(videos, members, strict=True)
    }
