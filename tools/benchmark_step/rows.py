"""The rows of the table: what does the work, and in which process."""

import sys
from dataclasses import dataclass
from pathlib import Path

from tools.torch_python import torch_python


@dataclass(frozen=True)
class Row:
    """One implementation of the same step.

    Attributes:
        name: for --rows.
        title: in the table.
        module: what its process runs.
        modules: what that needs of PyTorch's environment; none for this one.
    """

    name: str
    title: str
    module: str
    modules: tuple[str, ...] = ()

    def python(self, given: Path | None) -> Path:
        """Its interpreter.

        Raises:
            MissingPython: there is none.
        """
        return torch_python(given, self.modules) if self.modules else Path(sys.executable)


OURS = "folded"
_KERAS = "tools.benchmark_step.keras_steps"
_TORCH = ("tools.benchmark_step.torch_steps", ("torch", "timm", "numpy"))
ROWS = {
    row.name: row
    for row in (
        Row(OURS, "this project", _KERAS),
        Row("torch_eager", "timm in PyTorch, eager, channels last", *_TORCH),
        Row("torch_compiled", "timm in PyTorch, torch.compile", *_TORCH),
        Row("time_distributed", "keras.layers.TimeDistributed", _KERAS),
    )
}
# The last one's first step takes minutes.
DEFAULT_ROWS = (OURS, "torch_eager", "torch_compiled")
