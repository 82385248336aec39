"""A trained run's explanations, tried out on the fakes of a split."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.clusters import clusters_of
from deepfake_tfdata.evaluation.explanation import AREA, Example, Findings, mean_of_others
from deepfake_tfdata.evaluation.explanation_figures import curves_of, figures_of
from deepfake_tfdata.input.reading import explained_damage
from deepfake_tfdata.scoring.explanation.explainer import Explainer
from deepfake_tfdata.scoring.explanation.judging import Judge, Judged, shuffle_weights
from deepfake_tfdata.scoring.explanation.pairs import Fake, Pair, PairedClips, pair_with_originals, read_pairs
from deepfake_tfdata.scoring.explanation.truth import Planted, Truth
from deepfake_tfdata.scoring.load import load_detector
from deepfake_tfdata.scoring.local_devices import explained_lack_of_memory, grow_memory
from deepfake_tfdata.scoring.run_clips import clips_for_run, options_of_run, result_name
from deepfake_tfdata.scoring.runs import read_run

EXAMPLES = 3
# From pairs, what is done with them, and how many there are, to the same pairs.
Follow = Callable[[Iterator[Pair], str, int], Iterator[Pair]]
_SEED = 0


@dataclass(frozen=True, eq=False)
class ExplainedRun:
    """What came out for a run.

    Attributes:
        name: of the run.
        split: train, val or test.
        folder: where it belongs, WORKDIR/explanation/SPLIT, or SPLIT-IDENTITY of other data.
        result: plain values for explanation.json: what was explained, `figures` and `curves`, see
            `explanation_figures`.
        examples: the fakes whose map finds the most, the middle one, and the one whose map finds least.
    """

    name: str
    split: str
    folder: Path
    result: dict[str, Any]
    examples: list[Example]


def explain_run(
    workdir: Path,
    split: str,
    data: str = "",
    limit: int = 0,
    truth: Truth | None = None,
    follow: Follow = lambda pairs, what, total: pairs,
) -> ExplainedRun:
    """Explains the fakes of a split that have their originals there.

    Args:
        workdir: of the run.
        split: train, val or test.
        data: the folder of records; the run's own if ''.
        limit: at most so many fakes; 0 is no limit.
        truth: what is planted where, if that is known.
        follow: passes pairs through, and may show how many of the total have been; it is told what for.

    Raises:
        UserError: no trained model, no records, records of another spec, no fake with its original, or truth
            of other videos.
    """
    run = read_run(workdir)
    options = options_of_run(run, data)
    paired = pair_with_originals(clips_for_run(run, workdir, options, split), limit)
    planted = _planted(truth, paired) if truth else {}
    grow_memory()
    judge = _judge(workdir, paired.shards.regions)
    with explained_damage(paired.shards), explained_lack_of_memory(1, training=False):
        count = len(paired.fakes)
        maps = _maps(judge, follow(read_pairs(options, paired), "maps", count))
        units = _units([fake for fake in paired.fakes if fake.clip_id in maps])
        pairs = follow(read_pairs(options, paired), "pasting", count)
        judged = _judged(judge, pairs, maps, units, planted)
    findings = _findings(judged, units)
    result = {
        "run": run.name,
        "split": split,
        "data": {"folder": options.data, **paired.shards.conversion.about},
        "num_clips": len(judged),
        "num_components": len(set(units)),
        "without_original": paired.without_original,
        "not_aligned": count - len(judged),
        "area": AREA,
        "places": list(next(iter(maps.values())).shape[-2:]),
        "figures": figures_of(findings),
        "curves": curves_of(findings),
    }
    return ExplainedRun(
        name=run.name,
        split=split,
        folder=workdir / "explanation" / result_name(run, paired.shards),
        result=result,
        examples=_examples([each.example for each in judged]),
    )


def _judge(workdir: Path, regions: Sequence[str]) -> Judge:
    randomised = load_detector(workdir)
    shuffle_weights(randomised, _SEED)
    return Judge(Explainer(load_detector(workdir)), Explainer(randomised), regions)


def _planted(truth: Truth, paired: PairedClips) -> dict[str, Planted]:
    if not any(map(truth.knows, paired.fakes)):
        first = f"{paired.fakes[0].manipulation}/{paired.fakes[0].video_id}"
        raise UserError(f"--truth says nothing of {first} and the others; name the file of this data set")
    found = {fake.clip_id: truth.of(fake) for fake in paired.fakes}
    return {clip_id: each for clip_id, each in found.items() if each is not None}


def _maps(judge: Judge, pairs: Iterable[Pair]) -> dict[str, np.ndarray]:
    """By clip_id of aligned fakes, the map over all frames, float [R, h, w]."""
    maps = {pair.fake.clip_id: judge.activation(pair).mean(axis=1) for pair in pairs if pair.aligned}
    if not maps:
        raise UserError(
            "no fake shows the same frames as its original; convert videos that are as long as their "
            "originals, with --sampling=linspace"
        )
    return maps


def _units(fakes: Sequence[Fake]) -> np.ndarray:
    """What is independent, of each fake, str [N]: its component, or its target where most are of one."""
    names = ("component", "target_id", "source_id")
    clusters = clusters_of(*(np.array([getattr(fake, name) for fake in fakes], str) for name in names))
    return clusters.members[0].astype(str)


def _judged(
    judge: Judge,
    pairs: Iterable[Pair],
    maps: dict[str, np.ndarray],
    units: np.ndarray,
    planted: dict[str, Planted],
) -> list[Judged]:
    """What was measured on each aligned fake, in the order of the maps and their units, str [N]."""
    others = dict(zip(maps, mean_of_others(np.stack([*maps.values()]), units), strict=True))
    return [
        judge.judge(
            pair,
            others[pair.fake.clip_id],
            planted.get(pair.fake.clip_id),
            np.random.default_rng([_SEED, number]),
        )
        for number, pair in enumerate(pairs)
        if pair.aligned
    ]


def _findings(judged: Sequence[Judged], units: np.ndarray) -> Findings:
    def column(name: str) -> np.ndarray:
        return np.array([getattr(each, name) for each in judged], np.float64)

    def columns(name: str) -> dict[str, np.ndarray]:
        rows = [getattr(each, name) for each in judged]
        keys = dict.fromkeys(key for row in rows for key in row)
        return {key: np.stack([row.get(key, np.nan) for row in rows]) for key in keys}

    return Findings(
        units=units,
        logit=column("logit"),
        all_pasted=column("all_pasted"),
        falls=columns("falls"),
        chance=columns("chance"),
        randomised=column("randomised"),
        pointing=columns("pointing"),
        correlations=columns("correlations"),
    )


def _examples(examples: Sequence[Example]) -> list[Example]:
    """From the one whose map finds most to the one whose map finds least, evenly."""
    ordered = sorted(examples, key=lambda each: -each.fall)
    count = min(EXAMPLES, len(ordered))
    return [ordered[round(step * (len(ordered) - 1) / max(count - 1, 1))] for step in range(count)]
