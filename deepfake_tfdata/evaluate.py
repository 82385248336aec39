"""Evaluates a trained run on a split, video by video, and writes figures, pictures and a report.

python -m deepfake_tfdata.evaluate --workdir=runs/mouth_attention --split=test
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_tfdata import cli
from deepfake_tfdata.clips.splits import SPLITS
from deepfake_tfdata.input.corruptions import CORRUPTIONS, parse_corruption
from deepfake_tfdata.input.set_aside import CALIBRATION
from deepfake_tfdata.options import Options, option
from deepfake_tfdata.scoring.runs import read_run
from deepfake_tfdata.startup import import_tensorflow

if TYPE_CHECKING:
    from deepfake_tfdata.scoring.run_evaluation import EvaluatedRun


@dataclass(frozen=True)
class EvaluateConfig(Options):
    """Which run, and on what."""

    workdir: str = option(meaning="of the run", is_path=True)
    split: str = option("test", "which to score", choices=(*SPLITS, CALIBRATION))
    data: str = option("", "folder of records; the run's own if not given", is_path=True)
    batch_size: int = option(0, "clips at once, over all devices; the run's own if 0", low=0)
    corruption: str = option(
        "", f"of every clip, with its strength, as in codec:40; one of {', '.join(CORRUPTIONS)}"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        parse_corruption(self.corruption)


def main(config: EvaluateConfig) -> None:
    """Evaluates, and says what came out."""
    read_run(Path(config.workdir))  # a mistake here need not wait for TensorFlow
    import_tensorflow()
    from deepfake_tfdata.scoring.calibrations import with_calibration
    from deepfake_tfdata.scoring.run_evaluation import RunScorer

    scorer = RunScorer(Path(config.workdir), config.batch_size)
    evaluated = scorer.evaluate(config.split, config.data, parse_corruption(config.corruption))
    report(with_calibration(scorer, evaluated))


def report(run: "EvaluatedRun") -> None:
    """Writes what was found, and says it."""
    from deepfake_tfdata.evaluation.texts import evaluation_text
    from deepfake_tfdata.reports.evaluation_report import write_evaluation

    title = f"{run.name} on {run.folder.name}"
    write_evaluation(
        run.folder,
        run.predictions,
        run.metrics,
        title=title,
        context=run.context,
        calibration=run.calibration,
    )
    cli.say(evaluation_text(title, run.data, run.metrics))
    cli.say(f"report: {run.folder}/report.html")


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, EvaluateConfig, __doc__, argv)


if __name__ == "__main__":
    run()
