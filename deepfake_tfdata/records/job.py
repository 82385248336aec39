"""A conversion before anything is converted: the videos found, the shards planned, the output looked at.

Without TensorFlow, so that a mistake is answered at once.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import with_originals
from deepfake_tfdata.clips.video_selection import Selection, select_videos
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.continuation import continued, warn_of_hints
from deepfake_tfdata.records.ledger import read_ledger
from deepfake_tfdata.records.metadata import Conversion, package_versions
from deepfake_tfdata.records.options import ConversionConfig
from deepfake_tfdata.records.output import explained_write_errors, require_writable
from deepfake_tfdata.records.plan import ShardPlan, plan_shards
from deepfake_tfdata.records.provenance import Provenance
from deepfake_tfdata.records.source_content import require_same_content
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
    def regions(self) -> list[str]:
        """Those asked for and those that are there: a shard is written in all of them."""
        return self.conversion.regions

    @property
    def spec(self) -> ClipSpec:
        """As the folder has it, with what it says of the size that a detector makes of native crops."""
        return ClipSpec.from_dict(self.conversion.spec)

    @property
    def num_videos(self) -> int:
        """How many videos the plan has."""
        return sum(len(shard.videos) for shard in self.shards)


def plan_conversion(config: ConversionConfig, versions: Mapping[str, str]) -> ConversionJob:
    """Finds the videos, divides them into splits and shards, and checks what the output folder already has.

    Args:
        config: what to convert.
        versions: of the code that makes clips of videos.

    Raises:
        UserError: nothing can be converted as asked; the output was made with another spec or source, can't
            be written, or another process writes to it.
    """
    output = as_path(config.output)
    selection = _select(config)
    assignment = selection.assignment
    videos = with_originals(selection.videos) if config.spec.share_tracks else selection.videos
    videos = [replace(video, component=assignment.components.get(video.key, "")) for video in videos]
    execution = config.execution
    shards = plan_shards(videos, assignment.splits, config.spec, execution.shard_mib, execution.limit)
    provenance = Provenance(selection.layout, selection.compression, versions)
    conversion = Conversion(
        spec=config.spec.to_dict(),
        spec_hash=config.spec.hash,
        regions=list(config.regions),
        provenance=provenance.to_dict(),
        source={
            "splits": selection.split_by,
            "left_out": dict(Counter(assignment.left_out.values())),
            "not_native": sum(not video.native for shard in shards for video in shard.videos),
            "limit": execution.limit,
            "shard_mib": execution.shard_mib,
        },
        plan=_fingerprint(shards),
        complete=False,
        counts={},
        versions=package_versions(),
    )
    with explained_write_errors(output):
        require_writable(output)
        conversion = continued(output, conversion)
        warn_of_hints(config.spec, ClipSpec.from_dict(conversion.spec), output)
        require_same_content(
            (video for shard in shards for video in shard.videos), read_ledger(output), output
        )
    return ConversionJob(config, output, selection, shards, conversion)


def _select(config: ConversionConfig) -> Selection:
    try:
        return select_videos(as_path(config.source), config.selection)
    except OSError as error:
        place = error.filename or config.source
        raise UserError(f"can't read {place}: {error.strerror or error}; check --source") from error


def _fingerprint(shards: list[ShardPlan]) -> str:
    """Changes whenever a video, its label or its place does."""
    lines: list[Any] = [
        (shard.split, shard.index, shard.count, video.key, video.label, video.target_id, video.source_id)
        + (("mask",) if video.mask_path else ())  # which decides on the face
        for shard in shards
        for video in shard.videos
    ]
    return hashlib.sha256(repr(lines).encode()).hexdigest()[:12]
