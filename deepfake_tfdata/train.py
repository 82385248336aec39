"""Trains a detector on the records of one region or of several, and ends with the validation's figures.

python -m deepfake_tfdata.train --region=mouth --head=attention

Run again with the same --workdir, it goes on where it stopped. The test split is left to `evaluate`.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deepfake_tfdata import cli
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.views import require_view
from deepfake_tfdata.evaluate import report
from deepfake_tfdata.progress import Progress
from deepfake_tfdata.records.metadata import find_conversion
from deepfake_tfdata.startup import import_tensorflow
from deepfake_tfdata.training.config import TrainConfig

# What a shell reports of a process that SIGTERM ended.
TERMINATED = 143


def main(config: TrainConfig) -> None:
    """Trains, and says how good the best epoch was on the validation."""
    # A mistake here need not wait for TensorFlow.
    conversion = find_conversion(config.input.data, config.input.regions)
    require_view(config.input.view, config.input.regions, ClipSpec.from_dict(conversion.spec))
    import_tensorflow()
    from deepfake_tfdata.input.batches import why_nobody_is_set_aside
    from deepfake_tfdata.scoring.run_evaluation import RunScorer
    from deepfake_tfdata.training.run import train

    interrupt = signal.getsignal(signal.SIGTERM)
    terminated = on_termination()
    outcome = train(config, _show_steps, terminated.is_set)
    if not outcome.finished:
        cli.say(f"terminated; {config.folder} is saved, run the same command again to go on")
        sys.exit(TERMINATED)
    signal.signal(signal.SIGTERM, interrupt)
    if outcome.chief:
        # The best epoch may have been another process's, which took its scores along.
        report(outcome.validation or RunScorer(config.folder).evaluate("val"))
        if config.input.calibration and (why := why_nobody_is_set_aside(config.input)):
            cli.say(f"note: {why}")
        cli.say(f"test split: python -m deepfake_tfdata.evaluate --workdir={config.folder} --split=test")


def on_termination() -> threading.Event:
    """An event that SIGTERM, the notice of a VM that is preempted, sets."""
    event = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: event.set())
    return event


@contextmanager
def _show_steps(steps: int) -> Iterator[Callable[[str], None]]:
    with Progress("train", steps, "steps") as progress:
        yield progress.advance


def run(argv: list[str] | None = None) -> None:
    """Entry point of `python -m` and of the console script."""
    cli.run(main, TrainConfig, __doc__, argv)


if __name__ == "__main__":
    run()
