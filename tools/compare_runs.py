"""Sets evaluated runs side by side: a table on the terminal and a page.

python -m tools.compare_runs --output=comparison.html runs/full_control runs/mouth_attention

The first run is the reference of the differences.
"""

import argparse
import json
import sys
from pathlib import Path

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.comparison import Evaluation, comparison_table
from deepfake_tfdata.evaluation.predictions import read_csv
from deepfake_tfdata.reports.comparison_page import write_comparison


def main() -> None:
    """Reads the arguments, compares, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workdirs", nargs="+", type=Path, help="of evaluated runs")
    parser.add_argument("--output", type=Path, required=True, help="the page to write")
    parser.add_argument("--split", default="test", help="which evaluation to compare")
    arguments = parser.parse_args()
    try:
        rows = [read_evaluation(workdir, arguments.split) for workdir in arguments.workdirs]
        write_comparison(arguments.output, rows)
    except UserError as error:
        sys.exit(f"error: {error}")
    print(comparison_table(rows))
    print(f"report: {arguments.output}")


def read_evaluation(workdir: Path, split: str) -> Evaluation:
    """What `evaluate` left in a workdir.

    Raises:
        UserError: the run was not evaluated on the split.
    """
    folder = workdir / "evaluation" / split
    predictions = read_csv(folder / "predictions.csv")
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return Evaluation(workdir.name.replace("_", "/", 1), predictions, metrics)


if __name__ == "__main__":
    main()
