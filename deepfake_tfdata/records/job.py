"""A conversion before anything is converted: the videos found, the shards planned, the output looked at.

Without TensorFlow, so that a mistake is answered at once.
"""

import dataclasses
import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from deepfake_tfdata.clips.spec import require_same_spec
from deepfake_tfdata.clips.video import with_originals
from deepfake_tfdata.clips.video_selection import Selection, select_videos
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.metadata import (
    CONVERSION_FILE,
    Conversion,
    package_versions,
    read_conversion,
)
from deepfake_tfdata.records.options import ConversionConfig
from deepfake_tfdata.records.output import explained_write_errors
from deepfake_tfdata.records.plan import TARGET_SHARD_BYTES, ShardPlan, plan_shards
from deepfake_tfdata.records.retry import require_all_regions
from deepfake_tfdata.storage import AnyPath, as_path


@dataclass(frozen=True)
class ConversionJob:
    """A conversion ready to run.

    Attributes:
        config: what was asked for.
        output: the folder of records.
        selection: the videos and their splits.
        shards: the plan.
        conversion: what conversion.json says until the work is done.
    """

    config: ConversionConfig
    output: AnyPath
    selection: Selection
    shards: list[ShardPlan]
    conversion: Conversion

    @property
    def num_videos(self) -> int:
        """How many videos the plan has."""
        return sum(len(shard.videos) for shard in self.shards)


def plan_conversion(config: ConversionConfig, shard_bytes: int = TARGET_SHARD_BYTES) -> ConversionJob:
    """Finds the videos, divides them into splits and shards, and checks what the output folder already has.

    Args:
        config: what to convert.
        shard_bytes: about how large a shard gets.

    Raises:
        UserError: nothing can be converted as asked, or the output was made with another spec or source.
    """
    output = as_path(config.output)
    selection = _select(config)
    videos = with_originals(selection.videos) if config.spec.share_tracks else selection.videos
    shards = plan_shards(
        videos, selection.assignment.splits, config.spec, config.execution.limit, shard_bytes
    )
    conversion = Conversion(
        spec=config.spec.to_dict(),
        spec_hash=config.spec.hash,
        regions=list(config.regions),
        source={
            "layout": selection.layout,
            "compression": config.selection.compression,
            "splits": selection.split_by,
            "left_out": dict(Counter(selection.assignment.left_out.values())),
            "not_native": sum(not video.native for shard in shards for video in shard.videos),
        },
        plan=_fingerprint(shards),
        complete=False,
        counts={},
        versions=package_versions(),
    )
    with explained_write_errors(output):
        conversion = continued(output, conversion)
    if config.execution.retry_failed:
        require_all_regions(config.regions, conversion.regions)
    return ConversionJob(config, output, selection, shards, conversion)


def _select(config: ConversionConfig) -> Selection:
    try:
        return select_videos(as_path(config.source), config.selection)
    except OSError as error:
        place = error.filename or config.source
        raise UserError(f"can't read {place}: {error.strerror or error}; check --source") from error


def continued(output: AnyPath, conversion: Conversion) -> Conversion:
    """The conversion joined with what an earlier run left in the output folder."""
    if not (output / CONVERSION_FILE).is_file():
        return conversion
    earlier = read_conversion(output)
    require_same_spec(earlier.spec, conversion.spec, f"the records in {output}", "this command")
    if earlier.plan != conversion.plan:
        raise UserError(
            f"{output} holds a conversion of other videos or splits; choose another --output, or delete it"
        )
    regions = [*earlier.regions, *(name for name in conversion.regions if name not in earlier.regions)]
    return dataclasses.replace(conversion, regions=regions)


def _fingerprint(shards: list[ShardPlan]) -> str:
    """Changes whenever a video, its label or its place does."""
    lines: list[Any] = [
        (shard.split, shard.index, shard.count, video.key, video.label, video.target_id, video.source_id)
        + (("mask",) if video.mask_path else ())  # which decides on the face
        for shard in shards
        for video in shard.videos
    ]
    return hashlib.sha256(repr(lines).encode()).hexdigest()[:12]
