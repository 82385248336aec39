"""Splits that came out without videos or with one class, in a line for a person."""

from collections.abc import Iterable, Mapping

from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.clips.video import LABEL_NAMES
from deepfake_tfdata.records.options import ConversionConfig
from deepfake_tfdata.records.plan import ShardPlan

# Split and label of what is to be there.
Groups = set[tuple[str, int]]


def groups_of_plan(shards: Iterable[ShardPlan]) -> Groups:
    """The splits and classes that have a planned video."""
    return {(shard.split, video.label) for shard in shards for video in shard.videos}


def groups_of_counts(counts: Mapping[str, Mapping[str, int]]) -> Groups:
    """The splits and classes that have a clip, by the counts of conversion.json."""
    return {
        (split, label) for split in counts for label, name in enumerate(LABEL_NAMES) if counts[split][name]
    }


def lacking(groups: Groups, what: str) -> str:
    """What splits lack, such as 'val has no videos, test has no fake videos'; '' where they have all."""
    parts = []
    for split in SPLITS:
        absent = [name for label, name in enumerate(LABEL_NAMES) if (split, label) not in groups]
        if absent:
            parts.append(f"{split} has no {what if len(absent) > 1 else f'{absent[0]} {what}'}")
    return ", ".join(parts)


def advice(config: ConversionConfig, split_by: str) -> str:
    """What to do about splits that lack something, by what decided them."""
    if config.execution.limit:
        return f"for a trial that may do; a larger --limit than {config.execution.limit} fills them"
    if "hash" in split_by:
        return "add videos, or say with --splits=DIR which identities go where"
    return f"see what the {split_by} name, or divide the identities with --splits=hash"
