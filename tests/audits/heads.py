"""Where the drawn heads lie, and the lists that divide them."""

import json
from pathlib import Path

FAKES = "manipulated_sequences/Face2Face/c23/videos"
REALS = "original_sequences/youtube/c23/videos"
SPLITS = ("train", "val", "test")


def lists(tree: Path) -> dict[str, list[list[str]]]:
    return {split: json.loads((tree / "splits" / f"{split}.json").read_text()) for split in SPLITS}


def write_lists(tree: Path, pairs: dict[str, list[list[str]]]) -> None:
    for split, members in pairs.items():
        (tree / "splits" / f"{split}.json").write_text(json.dumps(members))
