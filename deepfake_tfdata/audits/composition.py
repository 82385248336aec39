"""What a data set is made of: classes and methods by split, and what is missing of it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from deepfake_tfdata.audits.finding import INFO, WARN, Finding, count, names
from deepfake_tfdata.clips.listing import Listing
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import LABEL_NAMES, ORIGINAL, Video

# So many videos of one class for one of the other; FaceForensics++ with all its methods has 5.
_LOPSIDED = 10
# Below this share of fakes with an original, the data set does not name originals at all.
_NAMES_ORIGINALS = 0.5
# Faces found in so much less of one class than of the other make the rest another population.
_FACELESS = 0.05

# By split and label, how many videos each method has.
_Counts = Mapping[tuple[str, int], Counter[str]]


def check_composition(videos: Sequence[Video], listing: Listing) -> list[Finding]:
    """Classes and methods by split, missing originals, ids that several methods have."""
    counts: dict[tuple[str, int], Counter[str]] = {
        (split, label): Counter() for split in SPLITS for label in range(len(LABEL_NAMES))
    }
    for video in videos:
        for split in listing.videos.get(video.key, ()):
            counts[split, video.label][video.manipulation] += 1
    return [
        _table(counts),
        *_absent_classes(counts),
        *_lopsided(counts),
        *_absent_methods(counts),
        *_missing_originals(videos),
        *_ambiguous_ids(videos),
    ]


def check_faces(videos: Iterable[Video], found: Mapping[str, bool]) -> Iterator[Finding]:
    """Videos without a face, which no detector of faces will ever score.

    Args:
        videos: of the data set.
        found: by key, whether a face was found; without those that could not be read.
    """
    seen = [video for video in videos if video.key in found]
    faceless = sorted(video.key for video in seen if not found[video.key])
    if not faceless:
        return
    shares = [
        1 - sum(found[v.key] for v in seen if v.label == label) / max(1, sum(v.label == label for v in seen))
        for label in range(len(LABEL_NAMES))
    ]
    uneven = abs(shares[0] - shares[1]) > _FACELESS
    yield Finding(
        "no_face",
        WARN if uneven else INFO,
        f"no face found in {count(len(faceless), 'video')}, {shares[0]:.1%} of the real and {shares[1]:.1%} "
        f"of the fake: {names(faceless)}",
        "look at them; another --detector may find more. No figure counts them: read it beside its coverage",
        {"videos": faceless, "share": dict(zip(LABEL_NAMES, shares, strict=True))},
    )


def check_masks(lengths: Mapping[str, tuple[int, int]]) -> Iterator[Finding]:
    """Masks shorter than their videos: the frames beyond have none, which is not the same as an empty one.

    Args:
        lengths: by key, the frames of the video and of its mask.
    """
    short = sorted(key for key, (frames, of_mask) in lengths.items() if of_mask < frames)
    if short:
        shown = [f"{key} ({lengths[key][1]} of {lengths[key][0]} frames)" for key in short]
        yield Finding(
            "short_masks",
            WARN,
            f"{count(len(short), 'mask')} shorter than {'its video' if len(short) == 1 else 'their videos'}: "
            f"{names(shown)}",
            "take a frame beyond its mask as unknown, not as untouched",
            {"videos": {key: list(lengths[key]) for key in short}},
        )


def check_problems(problems: Mapping[str, str]) -> Iterator[Finding]:
    """Videos that could not be looked at, by key, and why."""
    if problems:
        shown = [f"{key} ({reason})" for key, reason in sorted(problems.items())]
        yield Finding(
            "unusable",
            WARN,
            f"{count(len(problems), 'video')} can't be used: {names(shown)}",
            "download them again, or leave them out of both classes alike",
            {"videos": dict(sorted(problems.items()))},
        )


def check_left_out(reasons: Mapping[str, str]) -> Iterator[Finding]:
    """Videos that convert would put into no split, by key, and why."""
    for reason, number in sorted(Counter(reasons.values()).items()):
        keys = sorted(key for key in reasons if reasons[key] == reason)
        yield Finding(
            "left_out",
            INFO,
            f"convert leaves {count(number, 'video')} out, since {reason}: {names(keys)}",
            evidence={"videos": keys, "reason": reason},
        )


def _table(counts: _Counts) -> Finding:
    table = {
        split: {name: dict(sorted(counts[split, label].items())) for label, name in enumerate(LABEL_NAMES)}
        for split in SPLITS
    }
    shown = [
        f"{split} {counts[split, 0].total()} real and {counts[split, 1].total()} fake" for split in SPLITS
    ]
    return Finding("composition", INFO, f"videos: {', '.join(shown)}", evidence={"splits": table})


def _absent_classes(counts: _Counts) -> Iterator[Finding]:
    absent = [
        f"{split} has no {LABEL_NAMES[label]} video" for (split, label), found in counts.items() if not found
    ]
    if absent:
        yield Finding(
            "no_class_in_split",
            WARN,
            names(absent),
            "add videos, or divide with --splits=hash: one class alone has no AUC",
            {"absent": absent},
        )


def _lopsided(counts: _Counts) -> Iterator[Finding]:
    for split in SPLITS:
        real, fake = (counts[split, label].total() for label in (0, 1))
        if min(real, fake) and max(real, fake) > _LOPSIDED * min(real, fake):
            yield Finding(
                "class_balance",
                WARN,
                f"{split} has {count(real, 'real video')} and {count(fake, 'fake one')}",
                "balance batches by class, and read AUC or balanced accuracy: one answer for all has a high "
                "accuracy here",
                {"split": split, "real": real, "fake": fake},
            )


def _absent_methods(counts: _Counts) -> Iterator[Finding]:
    methods = sorted({method for split in SPLITS for method in counts[split, 1]})
    absent = {
        method: [split for split in SPLITS if counts[split, 1] and not counts[split, 1][method]]
        for method in methods
    }
    lacking = [f"{method} in {' and '.join(splits)}" for method, splits in absent.items() if splits]
    if lacking:
        yield Finding(
            "method_missing_in_split",
            WARN,
            f"no fakes of {names(lacking)}, but of other methods",
            "a method that train lacks is unseen, one that test lacks not measured: say so, or download it",
            {"absent": {method: splits for method, splits in absent.items() if splits}},
        )


def _missing_originals(videos: Sequence[Video]) -> Iterator[Finding]:
    originals = {video.video_id for video in videos if video.manipulation == ORIGINAL}
    fakes = [video for video in videos if video.label]
    missing = sorted(video.key for video in fakes if (video.original_id or video.target_id) not in originals)
    # Where hardly any has one, identities are people and no videos.
    if missing and len(missing) <= (1 - _NAMES_ORIGINALS) * len(fakes):
        yield Finding(
            "missing_originals",
            WARN,
            f"{count(len(missing), 'fake')} without the original that it was made from: {names(missing)}",
            "download the originals, or leave these fakes out: otherwise what they show is only ever fake",
            {"videos": missing},
        )


def _ambiguous_ids(videos: Sequence[Video]) -> Iterator[Finding]:
    methods: dict[str, list[str]] = {}
    for video in videos:
        methods.setdefault(video.video_id, []).append(video.manipulation)
    shared = sorted(name for name, found in methods.items() if len(found) > 1)
    if shared:
        shown = [f"{name} ({', '.join(sorted(methods[name]))})" for name in shared]
        yield Finding(
            "ids_differ_by_method_only",
            INFO,
            f"{count(len(shared), 'id')} under several methods: {names(shown)}",
            "join scores by METHOD/ID, as clip_id has it, never by the id alone",
            {"ids": shared},
        )
