"""Says whether one method is better than another: several runs of each, scored on the same videos.

python -m deepfake_tfdata.compare \\
    --first=runs/mouth-1/evaluation/test,runs/mouth-2/evaluation/test \\
    --second=runs/full-1/evaluation/test,runs/full-2/evaluation/test --output=runs/comparison.json

With one run of each it compares two trained models, and says so.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from deepfake_tfdata import cli
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.options import ComparisonOptions
from deepfake_tfdata.files import write_json
from deepfake_tfdata.options import Options, group, option

_LOG = logging.getLogger(__name__)
_WHAT = "an evaluation folder, such as runs/mouth_attention/evaluation/test, or a predictions.csv of any tool"


@dataclass(frozen=True)
class CompareConfig(Options):
    """The two, and where the result goes."""

    first: tuple[str, ...] = option(
        meaning=f"one method's runs in the order of their seeds, with commas between: each {_WHAT}",
        is_path=True,
    )
    second: tuple[str, ...] = option(
        meaning="what it is compared with: as many of another method", is_path=True
    )
    output: str = option("", "FILE.json to write, with a page for people, FILE.html, beside it", is_path=True)
    comparison: ComparisonOptions = group(ComparisonOptions)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output and Path(self.output).suffix != ".json":
            raise UserError(f"--output={self.output} is no JSON file; use FILE.json")
        if len(self.first) != len(self.second):
            raise UserError(
                f"--first has {len(self.first)} run(s) and --second {len(self.second)}; give as many of "
                "each, a seed a run"
            )


def main(config: CompareConfig) -> None:
    """Compares, and says what came out."""
    for place in (*config.first, *config.second):  # a mistake here need not wait for the libraries
        if not Path(place).exists():
            raise UserError(f"no {place}; name {_WHAT}")
    from deepfake_tfdata.evaluation.comparison import compare
    from deepfake_tfdata.evaluation.comparison_texts import comparison_text, comparison_values
    from deepfake_tfdata.evaluation.evaluations import UNKNOWN_DATA, common_name, read_evaluation

    methods = [[read_evaluation(Path(place)) for place in places] for places in (config.first, config.second)]
    scores = [[run.predictions for run in runs] for runs in methods]
    comparison = compare(scores[0], scores[1], config.comparison.margin)
    first, second = (common_name([run.name for run in runs]) for runs in methods)
    if first == second:
        first, second = f"{first} (first)", f"{second} (second)"
    data = [sorted({run.data for run in runs}) for runs in methods]
    shown = ", ".join(data[0]), ", ".join(data[1])
    cli.say(comparison_text(first, second, shown, comparison))
    known = {name for names in data for name in names} - {UNKNOWN_DATA}
    if len(known) > 1:
        _LOG.warning(
            "warning: the two were scored on different data, %s and %s: the difference is not the detectors' "
            "alone",
            *shown,
        )
    if config.output:
        from deepfake_tfdata.reports.comparison_page import write_comparison

        result = {
            "first": config.first,
            "second": config.second,
            "data_first": shown[0],
            "data_second": shown[1],
            **comparison_values(comparison),
        }
        write_json(Path(config.output), result)
        page = Path(config.output).with_suffix(".html")
        write_comparison(page, first, second, shown, comparison)
        cli.say(f"report: {page}")


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, CompareConfig, __doc__, argv)


if __name__ == "__main__":
    run()
