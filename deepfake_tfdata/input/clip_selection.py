"""The clips that are read: those of a split, from local copies and without damaged ones, if so asked."""

import logging
from collections.abc import Sequence
from pathlib import Path

from deepfake_tfdata.input.cache import cached
from deepfake_tfdata.input.reading import without_damage
from deepfake_tfdata.input.shards import Shards, find_shards, require_whole_files

_LOG = logging.getLogger(__name__)


def select_clips(
    data: str | Path,
    region: str | Sequence[str],
    split: str,
    cache_dir: str = "",
    skip_corrupt: bool = False,
) -> Shards:
    """Finds the clips of a split.

    Args:
        data, region, split: as for `find_shards`.
        cache_dir: local folder for copies of shards from object storage; '' reads them where they are.
        skip_corrupt: read all records first and leave out the damaged ones.

    Raises:
        UserError: as `find_shards`, or no clip is whole.
    """
    shards = find_shards(data, region, split, check_files=not skip_corrupt)
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
