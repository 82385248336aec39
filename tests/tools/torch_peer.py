"""The Python that has PyTorch and what the tools run in it, where there is one."""

from pathlib import Path

from tools.torch_python import MissingPython, torch_python


def _find() -> Path | None:
    try:
        return torch_python(None, ("torch", "timm", "efficientnet_pytorch"))
    except MissingPython:
        return None


TORCH_PYTHON = _find()
