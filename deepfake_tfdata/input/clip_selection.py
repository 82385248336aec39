"""The clips that are read: those of a split, from local copies and without damaged ones, if so asked."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import LABEL_NAMES
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.cache import cached
from deepfake_tfdata.input.folds import Fold, divide_components, parse_fold
from deepfake_tfdata.input.reading import without_damage
from deepfake_tfdata.input.set_aside import CALIBRATION, set_aside
from deepfake_tfdata.input.shards import POOL, Shards, find_shards, require_whole_files

_LOG = logging.getLogger(__name__)
# What the division into folds must know of a video, whether or not it gave a clip: component, label, method.
_Planned = tuple[str, int, str]


def select_clips(
    data: str | Path,
    region: str | Sequence[str],
    split: str,
    cache_dir: str = "",
    skip_corrupt: bool = False,
    fold: str = "",
    calibration: float = 0.0,
) -> Shards:
    """Finds the clips of a split.

    Args:
        data, region, split: as for `find_shards`; or `calibration`, what of val is set aside.
        cache_dir: local folder for copies of shards from object storage; '' reads them where they are.
        skip_corrupt: read all records first and leave out the damaged ones.
        fold: such as 2/5: the split is that of a fold; '' takes the conversion's own splits.
        calibration: the share of the people in val that is set aside, and left out of val; see `set_aside`.

    Raises:
        UserError: as `find_shards`, the records can't be divided into such folds, nothing is set aside, or no
            clip is whole.
    """
    division = parse_fold(fold) if split != POOL else None
    found = POOL if division else "val" if split == CALIBRATION else split
    shards = find_shards(data, region, found, check_files=not skip_corrupt)
    if division or split == CALIBRATION or (split == "val" and calibration):
        shards = divided(shards, split, division, calibration)
    if cache_dir:
        shards = cached(shards, cache_dir)
        if not skip_corrupt:
            require_whole_files(shards)
    if skip_corrupt:
        count = shards.num_clips
        shards = without_damage(shards)
        if shards.num_skipped:
            _LOG.warning("%d of %d %s clips are damaged and left out", shards.num_skipped, count, split)
    return shards


def divided(shards: Shards, split: str, fold: Fold | None = None, calibration: float = 0.0) -> Shards:
    """The clips of a split that the conversion itself does not have.

    The division goes by the videos that were to be converted, so that it is the same in all conversions of
    the same videos, whatever became of them there.

    Args:
        shards: as `find_shards` gives them: of POOL for a fold, of val for a part of it.
        split: train, val, test or CALIBRATION.
        fold: whose split it is; None of the conversion's own splits.
        calibration: the share of the people in val that is set aside.

    Raises:
        UserError: the split is unknown or has no clip, nothing is set aside, or the records can't be divided
            so.
    """
    if split not in (*SPLITS, CALIBRATION):
        raise UserError(f"--split={split} is unknown; choose from {', '.join((*SPLITS, CALIBRATION))}")
    videos = _planned_videos(shards, needed=fold is not None)
    if fold:
        videos = _of_fold(videos, fold, "val" if split == CALIBRATION else split)
    if split in ("val", CALIBRATION):
        validation, videos = videos, _of_validation(videos, split, calibration)
        if not fold and len(videos) == len(validation):
            return shards
    members = {component for component, *_ in videos}
    part = shards.only(row for row, clip in enumerate(shards.clips[0]) if clip.component in members)
    if not part.num_clips:
        of, advice = (f" of --fold={fold}", "use fewer folds") if fold else ("", "convert more videos")
        raise UserError(f"the {split} split{of} has no clip; {advice}")
    return replace(part, split=split, fold=str(fold or ""), planned=_by_class_and_method(videos))


def _of_fold(videos: Sequence[_Planned], fold: Fold, split: str) -> list[_Planned]:
    groups = divide_components(_sizes(videos), fold.count)
    return [video for video in videos if fold.split_of(groups[video[0]]) == split]


def _of_validation(videos: Sequence[_Planned], split: str, share: float) -> list[_Planned]:
    """Those that are set aside, or the others."""
    aside, reason = set_aside(((component, label) for component, label, _ in videos), share)
    if reason and split == CALIBRATION:
        raise UserError(f"nothing is set aside for calibration: {reason}")
    return [video for video in videos if (video[0] in aside) == (split == CALIBRATION)]


def _planned_videos(shards: Shards, needed: bool) -> list[_Planned]:
    """Every video of the plan: those that gave clips are in the index, the others in conversion.json.

    Args:
        shards: of a split, or of POOL.
        needed: whether records of an earlier version, which do not say the latter, are refused although all
            their videos gave clips.
    """
    found = {clip.video_key: (clip.component, clip.label, clip.manipulation) for clip in shards.clips[0]}
    videos = list(found.values())
    all_found = len(videos) == sum(sum(methods.values()) for methods in shards.planned.values())
    for split in SPLITS if shards.split == POOL else (shards.split,):
        counts = shards.conversion.counts[split]
        if "without_clips" in counts:
            lost = counts["without_clips"]
            videos += [(video["component"], video["label"], video["manipulation"]) for video in lost]
        elif needed or not all_found:
            raise UserError(
                "--fold and --calibration need to know whom videos without a clip show, and these records do "
                "not say it; run the same convert command again, which converts nothing anew"
            )
    return videos


def _sizes(videos: Iterable[_Planned]) -> dict[str, tuple[int, int]]:
    """By component, how many real and how many fake videos there are."""
    counts = Counter((component, label) for component, label, _ in videos)
    return {component: (counts[component, 0], counts[component, 1]) for component, _ in counts}


def _by_class_and_method(videos: Iterable[_Planned]) -> dict[str, dict[str, int]]:
    counts = Counter((label, method) for _, label, method in videos)
    return {
        name: {method: count for (of, method), count in sorted(counts.items()) if of == label}
        for label, name in enumerate(LABEL_NAMES)
    }
