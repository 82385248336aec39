"""Who is seen in a video, by the names that the field's data sets give their videos."""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Identities:
    """What a name says.

    Attributes:
        target: as in Video.target_id.
        source: as in Video.source_id; '' where the name is a real video's.
        original: as in Video.original_id.
    """

    target: str
    source: str = ""
    original: str = ""


# In full, so that a name fits one of them or none.
_NAMES: tuple[tuple[re.Pattern[str], Callable[..., Identities]], ...] = tuple(
    (re.compile(pattern, re.ASCII), make)
    for pattern, make in (
        # FaceForensics++: 000, 000_003; its actors: 01__scene, 01_02__scene__XXXXXXXX.
        (r"(\d{3})", Identities),
        (r"(\d{3})_(\d{3})", Identities),
        (r"(\d\d)__.+", lambda actor: Identities(f"actor {actor}")),
        (
            r"((\d\d)_(\d\d)__(.+)__\w+)",
            lambda _, a, b, scene: Identities(f"actor {a}", f"actor {b}", f"{a}__{scene}"),
        ),
        # Celeb-DF: id0_0000, id0_id1_0000, 00170 of YouTube; Celeb-DF++'s talking faces: id0_0000_test_REF.
        (r"(id\d+)_\d+", Identities),
        (r"(id\d+)_(id\d+)_(\d+)", lambda a, b, number: Identities(a, b, f"{a}_{number}")),
        (r"(\d{5})", lambda number: Identities(f"youtube {number}")),
        (r"((id\d+)_\d+)_test_.+", lambda original, a: Identities(a, "", original)),
        # DFDC's preview: TARGET_SCENE_N, SWAPPED_TARGET_SCENE_N.
        (r"(\d{6,})_[A-Z]+_\d+", Identities),
        (r"(\d{6,})_(\d{6,})_[A-Z]+_\d+", lambda swapped, target: Identities(target, swapped)),
        # DeeperForensics: 000_M101; its actors: M101_light_up_happy_camera_front.
        (r"(\d{3})_([MW]\d{3})", Identities),
        (r"([MW]\d{3})_.+", Identities),
        # UADFV: 0000, 0000_fake.
        (r"(\d{4})(?:_fake)?", Identities),
    )
)


def identities(name: str) -> Identities | None:
    """What the name of a video (without its ending) says; None where it is no name of these data sets."""
    for pattern, make in _NAMES:
        match = pattern.fullmatch(name)
        if match:
            return make(*match.groups())
    return None
