"""Evaluates a trained run on a split, video by video, and writes figures, pictures and a report.

python -m deepfake_tfdata.evaluate --workdir=runs/mouth_attention --split=test
"""

from pathlib import Path

from absl import flags

from deepfake_tfdata import cli

_FLAGS = flags.FlagValues()
_WORKDIR = flags.DEFINE_string("workdir", None, "of the run", flag_values=_FLAGS)
_SPLIT = flags.DEFINE_string("split", "test", "train|val|test", flag_values=_FLAGS)
_DATA = flags.DEFINE_string("data", None, "folder of records; the run's own if not given", flag_values=_FLAGS)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 0, "clips at once, over all devices; the run's own if 0", flag_values=_FLAGS
)


def main() -> None:
    """Reads the flags, evaluates, and says what came out."""
    from deepfake_tfdata.evaluation.comparison import comparison_table
    from deepfake_tfdata.training.evaluation import evaluate_run

    evaluation, folder = evaluate_run(
        Path(cli.required(_WORKDIR)), _SPLIT.value, _DATA.value, _BATCH_SIZE.value
    )
    cli.say(comparison_table([evaluation]))
    cli.say(f"report: {folder}/report.html")


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, _FLAGS, __doc__, argv)


if __name__ == "__main__":
    run()
