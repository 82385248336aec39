"""A run's detector applied to clips at hand, by Keras."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.input.views import view_of
from deepfake_tfdata.model.detector import weighs_frames
from deepfake_tfdata.pixels import FRAMES, view_name
from deepfake_tfdata.scoring.applied import (
    ClipExplanation,
    ClipFrames,
    ClipOutputs,
    GoOn,
    calibration_of,
    file_fingerprint,
    scored,
    to_the_end,
)
from deepfake_tfdata.scoring.clip_scores import Frames, make_predict
from deepfake_tfdata.scoring.explanation import Explainer
from deepfake_tfdata.scoring.load import load_detector
from deepfake_tfdata.scoring.local_devices import local_strategy
from deepfake_tfdata.scoring.run_evaluation import scored_model
from deepfake_tfdata.scoring.runs import MODEL_FILE, read_run
from deepfake_tfdata.scoring.sessions import package_versions


class RunDetector:
    """A run's best model; an `AppliedDetector`.

    Args:
        workdir: of the run.
        prepare: changes the model before it is used; None leaves it as it was trained.

    Raises:
        UserError: there is no run, or its model can't be loaded.
    """

    def __init__(self, workdir: Path, prepare: Callable[[keras.Model], keras.Model] | None = None) -> None:
        run = read_run(workdir)
        self.name, self.place = run.name, workdir
        self.spec = ClipSpec.from_dict(run.spec)
        self.regions, self.view = run.input.regions, run.input.view
        self.head: str = run.config["head"]
        self.frame_size = run.input.frame_size or self.spec.frame_size
        strategy = local_strategy()
        with strategy.scope():
            trained = load_detector(workdir)
            self.model = prepare(trained) if prepare else trained
            self._predict = make_predict(scored_model(self.model), strategy)
        self.fingerprint = file_fingerprint(workdir / MODEL_FILE)
        self.versions: Mapping[str, str] = package_versions()
        self.calibration = calibration_of(workdir, self.fingerprint)

    def score(self, clips: Sequence[ClipFrames], go_on: GoOn = to_the_end) -> ClipOutputs:
        """Scores clips; see `AppliedDetector`."""
        return scored(
            self,
            clips,
            lambda batch: self._predict(self.inputs(batch))(),
            weighs=weighs_frames(self.model),
            same_size=False,
            go_on=go_on,
        )

    def explain(self, clip: ClipFrames) -> ClipExplanation:
        """Why it says what it says of a clip; see `AppliedDetector`."""
        inputs = self.inputs([clip])
        seen = self._explainer.seen(inputs)
        first = self.regions[0] if len(self.regions) > 1 else FRAMES
        return ClipExplanation(
            np.concatenate(seen),
            self._explainer.class_activation(seen)[0],
            self._explainer.frame_replacement(seen)[0],
            inputs[view_name(first)][0] if self.spec.geometry == "native" else None,
        )

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self.model)

    def inputs(self, clips: Sequence[ClipFrames]) -> Frames:
        """What the Keras model takes of clips: their frames, and of native ones the views."""
        inputs = {}
        for region in self.regions:
            name = region if len(self.regions) > 1 else FRAMES
            inputs[name] = _padded([clip[region] for clip in clips])
            if self.spec.geometry == "native":
                inputs[view_name(name)] = self._views([clip[region] for clip in clips], region)
        return inputs if len(inputs) > 1 else inputs[FRAMES]

    def _views(self, clips: Sequence[np.ndarray], region: str) -> np.ndarray:
        """float32 [B, 16]."""
        sizes = [tf.constant(clip.shape[1:3], tf.int64) for clip in clips]
        return np.stack(
            [
                view_of(size[0], size[1], self.view, region, self.spec, self.frame_size).numpy()
                for size in sizes
            ]
        )


def _padded(clips: Sequence[np.ndarray]) -> np.ndarray:
    """uint8 [B, T, H, W, 3] of clips [T, h, w, 3], each in the upper left."""
    height, width = (max(clip.shape[axis] for clip in clips) for axis in (1, 2))
    batch = np.zeros((len(clips), len(clips[0]), height, width, 3), np.uint8)
    for row, clip in zip(batch, clips, strict=True):
        row[:, : clip.shape[1], : clip.shape[2]] = clip
    return batch
