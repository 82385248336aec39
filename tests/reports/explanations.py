"""An explanation's figures and examples, as a run's would be."""

import numpy as np

from deepfake_tfdata.evaluation.explanation import AREA, AREAS, Example, Findings
from deepfake_tfdata.evaluation.explanation_figures import (
    BASELINES,
    CORRELATIONS,
    METHODS,
    curves_of,
    figures_of,
)


def findings(random: np.random.Generator, count: int, with_truth: bool = True) -> Findings:
    others = [name for name in BASELINES if name != "chance"]
    falls = {name: random.normal(1, 0.3, (count, len(AREAS))) for name in (*METHODS, *others)}
    pointing = {name: random.uniform(size=count) for name in (*METHODS, *BASELINES)}
    return Findings(
        units=np.array([str(place // 2) for place in range(count)]),
        logit=random.normal(size=count),
        all_pasted=random.normal(3, 1, count),
        falls=falls,
        chance={name: falls[name] / 2 for name in METHODS},
        randomised=random.normal(0, 0.1, count),
        pointing=pointing if with_truth else {},
        correlations={name: random.normal(0, 0.3, count) for name in CORRELATIONS} if with_truth else {},
    )


def explanation(name: str, count: int = 12, with_truth: bool = True) -> tuple[dict, list[Example]]:
    """Its result, and two examples; everything that has a name has this one."""
    random = np.random.default_rng(0)
    found = findings(random, count, with_truth)
    result = {
        "run": name,
        "split": "test",
        "data": {"folder": name, "name": name, "identity": "0123456789ab"},
        "num_clips": count,
        "num_components": len(set(found.units)),
        "without_original": 3,
        "not_aligned": 2,
        "area": AREA,
        "places": [4, 4],
        "figures": figures_of(found),
        "curves": curves_of(found),
    }
    box = np.array([10.0, 30, 40, 50]) if with_truth else None
    crop = random.integers(0, 256, (60, 50, 3), np.uint8)
    maps = {method: random.normal(size=(60, 50)) for method in METHODS}
    return result, [Example(name, "full", 7, crop, maps, box, 2.0, 1.0, 3.0)] * 2
