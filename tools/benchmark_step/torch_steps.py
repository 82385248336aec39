"""The process of a row in PyTorch: the same detector around timm's backbone. Needs nothing of ours."""

import argparse
import json
import sys
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import timm
import torch
from torch import nn

from tools.benchmark_step.serve import Step, serve

# Where timm's names are others than ours.
TIMM_NAMES = {
    "mobilenet_v3_small": "mobilenetv3_small_100",
    "mobilenet_v3_large": "mobilenetv3_large_100",
    "xception": "legacy_xception",
}
# As keras.applications has it.
_EFFICIENTNET = {"drop_path_rate": 0.2}
# As our model's options have them, which this process can't import.
_LSTM_UNITS, _DROPOUT = 128, 0.2
_MEAN, _STDDEV = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main() -> None:
    """Serves steps; the settings come as JSON."""
    options = argparse.Namespace(**json.loads(sys.argv[1]))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("high" if options.precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = options.precision == "tf32"
    torch.manual_seed(0)
    detector = Detector(options).to(device, memory_format=torch.channels_last)
    steps = make_steps(detector, options, device)
    facts = {
        "backend": f"torch {torch.__version__}",
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "parameters": sum(parameter.numel() for parameter in detector.parameters()),
    }
    serve(steps, facts)


class Detector(nn.Module):
    """Backbone on every frame, bidirectional LSTM, attention over frames, one logit a clip."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__()
        name = TIMM_NAMES.get(options.backbone, options.backbone)
        if name not in timm.list_models():
            sys.exit(f"timm has no {name}")
        if options.head != "attention":
            sys.exit(f"only the attention head is here, not {options.head}")
        special = _EFFICIENTNET if name.startswith("efficientnet") else {}
        self.backbone = timm.create_model(name, num_classes=0, **special)
        with torch.inference_mode():
            width = self.backbone.eval()(torch.zeros(1, 3, options.frame_size, options.frame_size)).shape[-1]
        self.lstm = nn.LSTM(width, _LSTM_UNITS, batch_first=True, bidirectional=True)
        self.score = nn.Linear(2 * _LSTM_UNITS, 1)
        self.dropout = nn.Dropout(_DROPOUT)
        self.classifier = nn.Linear(2 * _LSTM_UNITS, 1)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("stddev", torch.tensor(_STDDEV).view(1, 3, 1, 1))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Logits [B] of uint8 frames [B, T, H, W, 3], which are folded into the batch."""
        images = frames.flatten(0, 1).permute(0, 3, 1, 2).float() / 255  # channels last in memory already
        features = self.backbone((images - self.mean) / self.stddev).unflatten(0, frames.shape[:2])
        sequence = self.lstm(features)[0].float()
        clip = (self.score(sequence).softmax(1) * sequence).sum(1)
        return self.classifier(self.dropout(clip)).squeeze(-1)


def make_steps(detector: Detector, options: argparse.Namespace, device: torch.device) -> dict[str, Step]:
    """The forward pass and the training step."""
    random = np.random.default_rng(0)
    shape = (options.batch_size, options.num_frames, options.frame_size, options.frame_size, 3)
    frames = torch.from_numpy(random.integers(0, 256, shape, np.uint8))
    labels = torch.from_numpy(random.integers(0, 2, options.batch_size)).float()
    optimizer = torch.optim.AdamW(detector.parameters(), 1e-4)
    half = options.precision == "mixed_float16"
    scaler = torch.amp.GradScaler(device.type, enabled=half and device.type == "cuda")
    call = torch.compile(detector) if options.row == "torch_compiled" else detector

    def mixed() -> AbstractContextManager[Any]:
        dtype = torch.float16 if half else torch.bfloat16
        return torch.autocast(device.type, dtype, enabled=options.precision.startswith("mixed"))

    def forward() -> Any:
        detector.eval()
        with torch.no_grad(), mixed():
            return call(frames.to(device)).float().cpu()

    def train() -> float:
        detector.train()
        optimizer.zero_grad(set_to_none=True)
        with mixed():
            logits = call(frames.to(device))
            loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), labels.to(device))
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss.item()

    return {"forward": forward, "train": train}


if __name__ == "__main__":
    main()
