"""Says whether one detector's scores are better than another's, on the videos that both scored.

python -m deepfake_tfdata.compare --first=runs/mouth_attention/evaluation/test \\
    --second=runs/full_control/evaluation/test --output=runs/comparison.json
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from deepfake_tfdata import cli
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import write_json
from deepfake_tfdata.options import Options, option

_LOG = logging.getLogger(__name__)
_WHAT = "an evaluation folder, such as runs/mouth_attention/evaluation/test, or a predictions.csv of any tool"


@dataclass(frozen=True)
class CompareConfig(Options):
    """The two, and where the result goes."""

    first: str = option(meaning=_WHAT, is_path=True)
    second: str = option(meaning="what it is compared with: another such", is_path=True)
    output: str = option("", "FILE.json to write, with a page for people, FILE.html, beside it", is_path=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output and Path(self.output).suffix != ".json":
            raise UserError(f"--output={self.output} is no JSON file; use FILE.json")


def main(config: CompareConfig) -> None:
    """Compares, and says what came out."""
    for place in (config.first, config.second):  # a mistake here need not wait for the libraries
        if not Path(place).exists():
            raise UserError(f"no {place}; name {_WHAT}")
    from deepfake_tfdata.evaluation.comparison import compare, comparison_table, read_evaluation

    first, second = (read_evaluation(Path(place)) for place in (config.first, config.second))
    difference = compare(first.predictions, second.predictions)
    cli.say(comparison_table([second, first]))
    if first.data != second.data:
        _LOG.warning(
            "warning: the two were scored on different data, %s and %s: the difference is not the detectors' "
            "alone",
            first.data,
            second.data,
        )
    if config.output:
        from deepfake_tfdata.reports.comparison_page import write_comparison

        result = {
            "first": config.first,
            "second": config.second,
            "data_first": first.data,
            "data_second": second.data,
            "auc_first": first.metrics["auc"],
            "auc_second": second.metrics["auc"],
            **asdict(difference),
        }
        write_json(Path(config.output), result)
        page = Path(config.output).with_suffix(".html")
        write_comparison(page, [second, first])
        cli.say(f"report: {page}")


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, CompareConfig, __doc__, argv)


if __name__ == "__main__":
    run()
