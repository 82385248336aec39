"""What a run has behind it, and what its files say of it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deepfake_tfdata.files import write_text


@dataclass
class RunState:
    """The state of a run beside its variables.

    Attributes:
        history: a metrics line for every finished epoch.
        losses: of the steps of the epoch under way.
        seconds, waited: spent on them, and waiting for their input.
        stage: the position of the stage under way.
        best: the sort key of the best validation.
        epochs_since_best: for early stopping.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    waited: float = 0.0
    stage: int = 0
    best: list[float] | None = None
    epochs_since_best: int = 0

    @property
    def epoch(self) -> int:
        """The epoch under way, from 0."""
        return len(self.history)

    def add_step(self, loss: float, seconds: float, waited: float) -> None:
        """Counts a step."""
        self.losses.append(loss)
        self.seconds += seconds
        self.waited += waited

    def rates(self, batch_size: int) -> dict[str, float]:
        """clips_per_second and input_wait_fraction of the epoch under way."""
        seconds = max(self.seconds, 1e-9)
        return {
            "clips_per_second": len(self.losses) * batch_size / seconds,
            "input_wait_fraction": self.waited / seconds,
        }

    def end_epoch(self, metrics: dict[str, Any]) -> bool:
        """Counts an epoch and tells whether its validation is the best so far."""
        self.history.append(metrics)
        self.losses, self.seconds, self.waited = [], 0.0, 0.0
        key = [metrics["val_auc"] or 0.0, -metrics["val_loss"]]
        if self.best is None or key > self.best:
            self.best, self.epochs_since_best = key, 0
            return True
        self.epochs_since_best += 1
        return False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    def write_metrics(self, path: Path) -> None:
        """Writes the finished epochs, a line of JSON each."""
        write_text(path, "".join(json.dumps(line) + "\n" for line in self.history))


def describe_epoch(metrics: dict[str, Any]) -> str:
    """A line for a person about an epoch."""
    auc = "undefined" if metrics["val_auc"] is None else f"{metrics['val_auc']:.3f}"
    return (
        f"epoch {metrics['epoch']}: loss {metrics['loss']:.4f}, val_loss {metrics['val_loss']:.4f}, "
        f"val_auc {auc}, {metrics['clips_per_second']:.1f} clips/s, "
        f"{metrics['input_wait_fraction']:.1%} waiting for input"
    )
