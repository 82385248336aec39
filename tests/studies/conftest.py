from dataclasses import replace

import numpy as np
import pytest

from deepfake_tfdata.evaluation.predictions import Predictions


@pytest.fixture
def make_runs():
    """Runs of one cell on pairs of identities: the same videos whatever the cell, an AUC of one's choice."""

    def make(separation, seeds=3, pairs=24, first_seed=0):
        people = [f"{number:03d}" for number in range(2 * pairs)]
        partner = [f"{number ^ 1:03d}" for number in range(2 * pairs)]
        labels = np.repeat([0, 1], 2 * pairs)
        videos = np.array(people + [f"{a}_{b}" for a, b in zip(people, partner, strict=True)])
        base = np.random.default_rng(99).normal(size=len(labels))
        whole = Predictions(
            clip_ids=videos,
            video_ids=videos,
            manipulations=np.where(labels, "Face2Face", "original"),
            target_ids=np.array(people * 2),
            source_ids=np.array([""] * 2 * pairs + partner),
            labels=labels,
            scores=np.full(len(labels), 0.5),
        )
        runs = []
        for seed in range(seeds):
            noise = np.random.default_rng([first_seed, seed]).normal(size=len(labels))
            logits = base + 0.5 * noise + separation * (labels - 0.5)
            runs.append(replace(whole, scores=1 / (1 + np.exp(-logits))))
        return runs

    return make
