import numpy as np
import pytest

from deepfake_tfdata.evaluation.predictions import Predictions


@pytest.fixture
def make_predictions():
    """Makes one clip a video: originals, and a fake of each by every method."""

    def make(num_sources=20, methods=("Face2Face",), separation=2.0, seed=0, num_frames=None):
        random = np.random.default_rng(seed)
        manipulations = np.repeat(["original", *methods], num_sources)
        targets = np.tile([f"{source:03d}" for source in range(num_sources)], 1 + len(methods))
        fake = manipulations != "original"
        videos = np.where(fake, np.char.add(targets, "_999"), targets)
        count = len(targets)
        logits = random.normal(size=count) + separation * (fake - 0.5)
        per_frame = {}
        if num_frames:
            weights = random.random((count, num_frames))
            per_frame = {
                "attention": weights / weights.sum(axis=1, keepdims=True),
                "frame_indices": np.tile(np.arange(num_frames) * 10, (count, 1)),
                "timestamps": np.tile(np.arange(num_frames) * 0.4, (count, 1)),
            }
        return Predictions(
            clip_ids=np.char.add(np.char.add(manipulations, "-"), videos),
            video_ids=videos,
            manipulations=manipulations,
            target_ids=targets,
            labels=fake.astype(int),
            scores=1 / (1 + np.exp(-logits)),
            **per_frame,
        )

    return make
