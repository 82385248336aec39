"""Trains a grid of detectors, several seeds each, and says which differences are real.

python -m deepfake_tfdata.study --data=data/records --workdir=runs/study --regions=full,mouth \\
    --heads=attention,control --seeds=5 --primary=mouth/attention:full/control

The plan is written before anything trains and can't be changed; the test split is opened once, after all
detectors are trained. Run again with the same flags, it goes on where it stopped.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from deepfake_tfdata import cli
from deepfake_tfdata.progress import Progress
from deepfake_tfdata.startup import import_tensorflow
from deepfake_tfdata.studies.lock import alone
from deepfake_tfdata.studies.options import StudyConfig
from deepfake_tfdata.studies.plan import find_records, make_plan
from deepfake_tfdata.train import TERMINATED, on_termination


def main(config: StudyConfig) -> None:
    """Conducts the study, and says what came out."""
    # A mistake here need not wait for TensorFlow.
    records = find_records(config)
    make_plan(config, records)
    import_tensorflow()
    from deepfake_tfdata.reports.study_page import write_study
    from deepfake_tfdata.studies.conclude import conclude
    from deepfake_tfdata.studies.conduct import conduct
    from deepfake_tfdata.studies.wording import result_text

    interrupt = signal.getsignal(signal.SIGTERM)
    terminated = on_termination()
    folder = Path(config.study.workdir)
    with alone(folder):
        study = conduct(config, records, _Watcher(), terminated.is_set)
        if study is None:
            cli.say(f"terminated; {folder} is saved, run the same command again to go on")
            sys.exit(TERMINATED)
        signal.signal(signal.SIGTERM, interrupt)
        result, contrasts = conclude(study)
        write_study(folder, asdict(result))
    cli.say(result_text(result.verdict, contrasts, result.notes))
    cli.say(f"report: {folder}/study.html")


class _Watcher:
    """Shows a study on standard error."""

    @contextmanager
    def steps(self, count: int) -> Iterator[Callable[[str], None]]:
        with Progress("train", count, "steps") as progress:
            yield progress.advance

    @contextmanager
    def runs(self, what: str, count: int, unit: str) -> Iterator[Callable[[str], None]]:
        with Progress(what, count, unit) as progress:
            yield progress.advance


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, StudyConfig, __doc__, argv)


if __name__ == "__main__":
    run()
