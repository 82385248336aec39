"""A conversion before anything is converted: the videos found, the shards planned, the output looked at.

Without TensorFlow, so that a mistake is answered at once.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec, differences, require_same_spec
from deepfake_tfdata.clips.video import with_originals
from deepfake_tfdata.clips.video_selection import Selection, select_videos
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.ledger import LEDGER_FILE, read_ledger
from deepfake_tfdata.records.metadata import (
    CONVERSION_FILE,
    Conversion,
    package_versions,
    read_conversion,
)
from deepfake_tfdata.records.options import ConversionConfig
from deepfake_tfdata.records.output import explained_write_errors
from deepfake_tfdata.records.plan import TARGET_SHARD_BYTES, ShardPlan, plan_shards
from deepfake_tfdata.records.provenance import Provenance, require_same_provenance
from deepfake_tfdata.records.source_content import require_same_content
from deepfake_tfdata.storage import AnyPath, as_path

_LOG = logging.getLogger(__name__)


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
    def num_videos(self) -> int:
        """How many videos the plan has."""
        return sum(len(shard.videos) for shard in self.shards)


def plan_conversion(
    config: ConversionConfig, versions: Mapping[str, str], shard_bytes: int = TARGET_SHARD_BYTES
) -> ConversionJob:
    """Finds the videos, divides them into splits and shards, and checks what the output folder already has.

    Args:
        config: what to convert.
        versions: of the code that makes clips of videos.
        shard_bytes: about how large a shard gets.

    Raises:
        UserError: nothing can be converted as asked, or the output was made with another spec or source.
    """
    output = as_path(config.output)
    selection = _select(config)
    assignment = selection.assignment
    videos = with_originals(selection.videos) if config.spec.share_tracks else selection.videos
    videos = [replace(video, component=assignment.components.get(video.key, "")) for video in videos]
    shards = plan_shards(videos, assignment.splits, config.spec, config.execution.limit, shard_bytes)
    provenance = Provenance(selection.layout, selection.compression, versions)
    conversion = Conversion(
        spec=config.spec.to_dict(),
        spec_hash=config.spec.hash,
        regions=list(config.regions),
        provenance=provenance.to_dict(),
        source={"splits": selection.split_by, "left_out": dict(Counter(assignment.left_out.values()))},
        plan=_fingerprint(shards),
        complete=False,
        counts={},
        versions=package_versions(),
    )
    with explained_write_errors(output):
        conversion = continued(output, conversion)
        _warn_of_hints(config.spec, ClipSpec.from_dict(conversion.spec), output)
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


def continued(output: AnyPath, conversion: Conversion) -> Conversion:
    """The conversion joined with what an earlier run left in the output folder."""
    if not (output / CONVERSION_FILE).is_file():
        _require_no_records(output)
        return conversion
    earlier = read_conversion(output)
    before, now = (ClipSpec.from_dict(each.spec) for each in (earlier, conversion))
    require_same_spec(before.deciding, now.deciding, f"the records in {output}", "this command")
    require_same_provenance(Provenance(**earlier.provenance), Provenance(**conversion.provenance), output)
    if earlier.plan != conversion.plan:
        raise UserError(
            f"{output} holds a conversion of other videos or splits; choose another --output, or delete it"
        )
    regions = [*earlier.regions, *(name for name in conversion.regions if name not in earlier.regions)]
    # The spec stays, with what it says of the size that a detector makes of native crops.
    return replace(conversion, spec=earlier.spec, regions=regions)


def _warn_of_hints(asked: ClipSpec, kept: ClipSpec, output: AnyPath) -> None:
    shown = differences(kept.to_dict(), asked.to_dict())
    if shown:
        _LOG.warning(
            "warning: %s keeps what it says already (%s): it changes no byte of native crops, and train has "
            "--frame_size of its own",
            output,
            shown,
        )


def _require_no_records(output: AnyPath) -> None:
    """UserError where records lie without the file that says what they are."""
    left = [output / LEDGER_FILE, *(output / region for region in REGIONS)]
    if any(place.exists() for place in left):
        raise UserError(
            f"{output} has records but no {CONVERSION_FILE}, so nobody knows what they are; choose another "
            "--output, or delete it"
        )


def _fingerprint(shards: list[ShardPlan]) -> str:
    """Changes whenever a video, its label or its place does."""
    lines: list[Any] = [
        (shard.split, shard.index, shard.count, video.key, video.label, video.target_id, video.source_id)
        for shard in shards
        for video in shard.videos
    ]
    return hashlib.sha256(repr(lines).encode()).hexdigest()[:12]
