"""Explains what a trained run says of a split's fakes, and whether the explanations can be believed.

python -m deepfake_tfdata.explain --workdir=runs/full_attention --split=test
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_tfdata import cli
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.options import Options, option
from deepfake_tfdata.progress import Progress
from deepfake_tfdata.scoring.runs import read_run
from deepfake_tfdata.startup import import_tensorflow

if TYPE_CHECKING:
    from deepfake_tfdata.scoring.explanation.pairs import Pair


@dataclass(frozen=True)
class ExplainConfig(Options):
    """Which run, and on what."""

    workdir: str = option(meaning="of the run", is_path=True)
    split: str = option("test", "whose fakes to explain", choices=SPLITS)
    limit: int = option(64, "fakes at most, evenly from all; 0 takes all", low=0)
    data: str = option("", "folder of records; the run's own if not given", is_path=True)
    truth: str = option("", "file ground_truth.json: what is planted where, if that is known", is_path=True)


def main(config: ExplainConfig) -> None:
    """Explains, and says what came out."""
    read_run(Path(config.workdir))  # a mistake here need not wait for TensorFlow
    import_tensorflow()
    from deepfake_tfdata.evaluation.explanation_texts import explanation_text
    from deepfake_tfdata.reports.explanation_page import write_explanation
    from deepfake_tfdata.scoring.explanation.run_explanation import explain_run
    from deepfake_tfdata.scoring.explanation.truth import read_truth

    truth = read_truth(Path(config.truth)) if config.truth else None
    run = explain_run(Path(config.workdir), config.split, config.data, config.limit, truth, _followed)
    title = f"Explanations of {run.name} on {run.folder.name}"
    write_explanation(run.folder, run.result, run.examples, title=title)
    cli.say(explanation_text(title, run.result))
    cli.say(f"report: {run.folder}/explanation.html")


def _followed(pairs: Iterator["Pair"], what: str, total: int) -> Iterator["Pair"]:
    """The same pairs, counted."""
    with Progress(what, total, "fakes") as progress:
        for pair in pairs:
            yield pair
            progress.advance()


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, ExplainConfig, __doc__, argv)


if __name__ == "__main__":
    run()
