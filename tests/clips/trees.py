"""Data sets of empty files, in the exact shapes that they are published in."""

from pathlib import Path


def make_tree(root: Path, *names: str) -> Path:
    """Empty files of those names below root; a name with braces stands for one of each alternative."""
    for name in names:
        before, brace, rest = name.partition("{")
        if brace:
            alternatives, _, after = rest.partition("}")
            make_tree(root, *(f"{before}{one}{after}" for one in alternatives.split(",")))
        else:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return root


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
