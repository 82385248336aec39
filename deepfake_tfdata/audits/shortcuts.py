"""Nuisances that predict the label: those that crops show fail, those that only files show warn."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from deepfake_tfdata.audits.finding import FAIL, INFO, WARN, Finding, names
from deepfake_tfdata.audits.nuisances import (
    MIN_UNITS,
    TOGETHER,
    NuisanceTest,
    Value,
    can_test,
    measure_nuisances,
)
from deepfake_tfdata.clips.video import LABEL_NAMES, Video


@dataclass(frozen=True)
class Tier:
    """Nuisances of one kind.

    Attributes:
        check: the finding's name.
        severity: of a shortcut among them.
        seen: where they can be seen, for a person.
        mends: by nuisance, what to do.
        mend: what to do of any other.
    """

    check: str
    severity: str
    seen: str
    mends: Mapping[str, str]
    mend: str


_ENCODE = (
    "encode both classes with one encoder and one setting, from the least compressed files that there are"
)
CROPS = Tier(
    "shortcut_in_crops",
    FAIL,
    "crops show it",
    {
        "face pixels": "bring both classes to one size of frame, or keep faces of sizes that both have",
        "bits a pixel": _ENCODE,
        "crf": _ENCODE,
        "sharpness of the scene": "find out what only one class went through (a resize, a denoiser, another "
        "compression), and do it to the other as well",
        "frame spacing": "convert with --sampling=consecutive, whose spacing is the frame rate, or cut both "
        "classes to one length",
        "coverage": "keep videos whose face is found, in pairs: leave a fake out with its original",
        "jitter": "convert with --tracking=smooth and --share_tracks, so that a fake is cropped where its "
        "original is",
        "change of face size": "convert with --share_tracks, so that a fake is cropped where its original is",
    },
    "make both classes in one way, or report scores on the videos that agree in it",
)
FILES = Tier(
    "shortcut_in_files",
    WARN,
    "files show it, crops do not",
    {
        "encoder": _ENCODE,
        "encoder settings": _ENCODE,
        "frames": "convert with --sampling=consecutive: spread over a video, frames show its length",
        "seconds": "convert with --sampling=consecutive: spread over a video, frames show its length",
        "resolution": "look at what is said of face pixels: crops are cut at the video's own resolution",
    },
    "harmless to a detector that gets crops only; no file's name, size or header may be its input",
)


@dataclass(frozen=True)
class Measured:
    """A video with what was measured of it.

    Attributes:
        video: which.
        unit: that it is independent of others by.
        visible, file_only: values by nuisance; all videos have the same ones.
    """

    video: Video
    unit: str
    visible: Mapping[str, Value]
    file_only: Mapping[str, Value]


def find_shortcuts(measured: Sequence[Measured]) -> list[Finding]:
    """What predicts the label, of all methods together and of each against the reals."""
    if not measured:
        return []
    methods = sorted({each.video.manipulation for each in measured if each.video.label})
    groups = {"all methods": list(measured)} if len(methods) != 1 else {}
    for method in methods:
        groups[method] = [m for m in measured if not m.video.label or m.video.manipulation == method]
    testable = {name: members for name, members in groups.items() if _can_test(members)}
    findings = []
    if testable:
        for tier, of in ((CROPS, "visible"), (FILES, "file_only")):
            tests = {name: _measure(members, of) for name, members in testable.items()}
            findings += [*_shortcuts(tier, tests, testable, of), _table(tier, tests)]
    if len(testable) < len(groups):
        findings.append(_too_few(sorted(groups.keys() - testable.keys())))
    return findings


def _can_test(members: Sequence[Measured]) -> bool:
    labels, units = _arrays(members)
    return bool(len(labels)) and can_test(labels, units)


def _measure(members: Sequence[Measured], of: str) -> dict[str, NuisanceTest]:
    values = [getattr(each, of) for each in members]
    nuisances = {name: [value[name] for value in values] for name in values[0]}
    return {test.name: test for test in measure_nuisances(*_arrays(members), nuisances)}


def _arrays(members: Sequence[Measured]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and units."""
    return np.array([m.video.label for m in members], int), np.array([m.unit for m in members])


def _shortcuts(
    tier: Tier,
    tests: Mapping[str, Mapping[str, NuisanceTest]],
    groups: Mapping[str, Sequence[Measured]],
    of: str,
) -> Iterator[Finding]:
    """A finding a nuisance, with the method that it tells best; all together where no single one does."""
    found: dict[str, dict[str, NuisanceTest]] = {}
    for group, by_name in tests.items():
        for name, test in by_name.items():
            if test.is_shortcut:
                found.setdefault(name, {})[group] = test
    for name, by_group in found.items():
        group, test = max(by_group.items(), key=lambda item: item[1].low)
        what = "all of them together" if name == TOGETHER else name
        yield Finding(
            tier.check,
            tier.severity,
            f"{what} ({tier.seen}) tells real from fake{'' if group == 'all methods' else f' of {group}'}: "
            f"AUC {test.auc:.3f} [{test.low:.3f}, {test.high:.3f}]{_examples(name, test, groups[group], of)}",
            tier.mends.get(name, tier.mend),
            {"nuisance": name, "tests": {each: _values(result) for each, result in by_group.items()}},
        )


def _examples(name: str, test: NuisanceTest, members: Sequence[Measured], of: str) -> str:
    """A typical video of each class, such as '; original/000 has 120, Face2Face/000_003 240'."""
    if name == TOGETHER:
        return ""
    shown = []
    for label, typical in enumerate(test.typical):
        own = [(getattr(m, of)[name], m.video.key) for m in members if m.video.label == label]
        known = [(value, key) for value, key in own if value is not None]
        if not known:
            shown.append(f"no {LABEL_NAMES[label]} video has any")
        elif isinstance(typical, str):
            own_words = _own_words(typical, str(test.typical[1 - label] or ""))
            shown.append(f"{next(key for value, key in known if value == typical)} has '{own_words}'")
        else:
            value, key = min(known, key=lambda pair: (abs(float(pair[0]) - float(typical or 0)), pair[1]))
            shown.append(f"{key} has {_number(float(value))}")
    return f"; typical: {', '.join(shown)}"


def _own_words(text: str, other: str) -> str:
    """The words of a text that another has not, such as the settings in which two encoders differ."""
    shared = set(other.split())
    return " ".join(word for word in text.split() if word not in shared) or text


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _table(tier: Tier, tests: Mapping[str, Mapping[str, NuisanceTest]]) -> Finding:
    rows = {group: [_values(test) for test in by_name.values()] for group, by_name in tests.items()}
    tested = sorted({name for by_name in tests.values() for name in by_name} - {TOGETHER})
    return Finding(
        f"{tier.check}_tested", INFO, f"tested, {tier.seen}: {names(tested)}", evidence={"tests": rows}
    )


def _too_few(groups: Sequence[str]) -> Finding:
    return Finding(
        "too_few_to_test",
        INFO,
        f"too few independent videos to test nuisances of {names(groups)}: {MIN_UNITS} components of "
        "identities of each class are the least",
        evidence={"groups": list(groups), "least": MIN_UNITS},
    )


def _values(test: NuisanceTest) -> dict[str, object]:
    values = {
        name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(test).items()
    }
    return {**values, "typical": dict(zip(LABEL_NAMES, test.typical, strict=False))}
