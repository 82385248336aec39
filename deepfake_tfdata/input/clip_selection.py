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
) -> Shards:
    """Finds the clips of a split.

    Args:
        data, region, split: as for `find_shards`.
        cache_dir: local folder for copies of shards from object storage; '' reads them where they are.
        skip_corrupt: read all records first and leave out the damaged ones.
        fold: such as 2/5: the split is that of a fold; '' takes the conversion's own splits.

    Raises:
        UserError: as `find_shards`, the records can't be divided into such folds, or no clip is whole.
    """
    division = parse_fold(fold) if split != POOL else None
    shards = find_shards(data, region, POOL if division else split, check_files=not skip_corrupt)
    if division:
        shards = split_of_fold(shards, division, split)
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


def split_of_fold(pool: Shards, fold: Fold, split: str) -> Shards:
    """The clips that a fold has in a split, of all clips of some records.

    The division goes by the videos that were to be converted, so that it is the same in all conversions of
    the same videos, whatever became of them there.

    Args:
        pool: as `find_shards` gives it of POOL.
        fold: which.
        split: train, val or test.

    Raises:
        UserError: the split is unknown, or the records can't be divided so.
    """
    if split not in SPLITS:
        raise UserError(f"--split={split} is unknown; choose from {', '.join(SPLITS)}")
    videos = _planned_videos(pool)
    groups = divide_components(_sizes(videos), fold.count)
    members = {component for component, group in groups.items() if fold.split_of(group) == split}
    rows = [row for row, clip in enumerate(pool.clips[0]) if clip.component in members]
    if not rows:
        raise UserError(f"the {split} split of --fold={fold} has no clip; use fewer folds")
    return replace(
        pool.only(rows),
        split=split,
        fold=str(fold),
        planned=_by_class_and_method(video for video in videos if video[0] in members),
    )


def _planned_videos(pool: Shards) -> list[_Planned]:
    """Every video of the plan: those that gave clips are in the index, the others in conversion.json."""
    found = {clip.video_key: (clip.component, clip.label, clip.manipulation) for clip in pool.clips[0]}
    videos = list(found.values())
    for counts in pool.conversion.counts.values():
        if "without_clips" not in counts:
            raise UserError(
                "--fold needs to know whom videos without a clip show, and these records do not say it; run "
                "the same convert command again, which converts nothing anew"
            )
        for video in counts["without_clips"]:
            videos.append((video["component"], video["label"], video["manipulation"]))
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
