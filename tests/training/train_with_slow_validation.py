"""The train command, whose validation takes a minute for a batch. Run as a program."""

import sys
import time
from pathlib import Path

from deepfake_tfdata import train
from deepfake_tfdata.training import loop

# A little at a time: a signal waits for no longer than one batch.
_BATCHES = 600


def main(workdir: Path) -> None:
    until_stopped = loop.until_stopped

    def slowly(validation, *others):
        def batches():
            for batch in validation:
                for _ in range(_BATCHES):
                    (workdir / "validating").touch()
                    time.sleep(0.1)
                    yield batch

        return until_stopped(batches(), *others)

    loop.until_stopped = slowly
    train.run()


if __name__ == "__main__":
    (place,) = (argument.partition("=")[2] for argument in sys.argv if argument.startswith("--workdir="))
    main(Path(place))
