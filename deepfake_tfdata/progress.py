"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import sys
import time

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Counts up to a total on standard error.

    Args:
        label: what is counted.
        total: how far.
        unit: of the count, in the plural.
    """

    def __init__(self, label: str, total: int, unit: str) -> None:
        self._label, self._total, self._unit = label, total, unit
        self._bar = tqdm(total=total, desc=label, unit=f" {unit}") if sys.stderr.isatty() else None
        self._start = self._last_line = time.monotonic()
        self._count = 0

    def advance(self, note: str = "") -> None:
        """One more is done; the note stands at the end of the line."""
        self._count += 1
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update()
        elif time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES or self._count == self._total:
            self._last_line = time.monotonic()
            print(f"{self._line()}  {note}".rstrip(), file=sys.stderr, flush=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _line(self) -> str:
        elapsed = time.monotonic() - self._start
        left = elapsed / self._count * (self._total - self._count)
        return f"{self._label}: {self._count}/{self._total} {self._unit}, {elapsed:.0f} s, {left:.0f} s left"
