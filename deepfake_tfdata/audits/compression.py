"""Files encoded otherwise than their folder says, by the header that x264 leaves in a stream."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from deepfake_tfdata.audits.finding import WARN, Finding, count, names
from deepfake_tfdata.clips.video import LABEL_NAMES, Video

_CONSTANT_RATE_FACTOR = re.compile(r"c(\d+)")


def check_compression(
    videos: Sequence[Video], factors: Mapping[str, float], compression: str
) -> Iterator[Finding]:
    """Files whose constant rate factor is not that of the others, or not what the folder's name says.

    Args:
        videos: of the data set.
        factors: x264's crf by video key, of those whose header has one.
        compression: of the folder, such as 'c23'; '' where the data set has none.
    """
    if not factors:
        return
    stated = _CONSTANT_RATE_FACTOR.fullmatch(compression)
    usual = Counter(factors.values()).most_common(1)[0][0]
    expected = float(stated[1]) if stated else usual
    others = {v.key: factors[v.key] for v in videos if factors.get(v.key, expected) != expected}
    if not others:
        return
    by_class = Counter(LABEL_NAMES[video.label] for video in videos if video.key in others)
    shown = [f"{key} (crf {factor:g})" for key, factor in sorted(others.items())]
    where = f"the folder says {compression}" if stated else f"most files have crf {usual:g}"
    yield Finding(
        "mixed_compression",
        WARN,
        f"{count(len(others), 'file')} of {len(factors):,} encoded otherwise, though {where} "
        f"({', '.join(f'{number} {name}' for name, number in sorted(by_class.items()))}): {names(shown)}",
        "download them again; a few cost little, but a class that is compressed otherwise gives itself away",
        {"expected": expected, "videos": dict(sorted(others.items())), "by_class": dict(by_class)},
    )
