"""A trained run's explanations, tried out on the fakes of a split."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.explanation import AREA, Example, Findings, mean_of_others
from deepfake_tfdata.evaluation.explanation_figures import curves_of, figures_of
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.input.reading import explained_damage
from deepfake_tfdata.progress import Progress
from deepfake_tfdata.scoring.explanation.explainer import Explainer
from deepfake_tfdata.scoring.explanation.judging import Judge, Judged, shuffle_weights
from deepfake_tfdata.scoring.explanation.pairs import Pair, PairedClips, pair_with_originals, read_pairs
from deepfake_tfdata.scoring.explanation.truth import Planted, Truth
from deepfake_tfdata.scoring.load import load_detector
from deepfake_tfdata.scoring.local_devices import explained_lack_of_memory, grow_memory
from deepfake_tfdata.scoring.run_clips import clips_for_run, options_of_run, result_name
from deepfake_tfdata.scoring.runs import read_run

EXAMPLES = 3
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
    workdir: Path, split: str, data: str = "", limit: int = 0, truth: Truth | None = None
) -> ExplainedRun:
    """Explains the fakes of a split that have their originals there.

    Args:
        workdir: of the run.
        split: train, val or test.
        data: the folder of records; the run's own if ''.
        limit: at most so many fakes; 0 is no limit.
        truth: what is planted where, if that is known.

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
        maps, unaligned = _maps(judge, options, paired)
        judged, units = _judged(judge, options, paired, maps, planted)
    findings = _findings(judged, units)
    result = {
        "run": run.name,
        "split": split,
        "data": {"folder": options.data, **paired.shards.conversion.about},
        "num_clips": len(judged),
        "num_components": len(set(units)),
        "without_original": paired.without_original,
        "not_aligned": unaligned,
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
    found = {clip.clip_id: truth.of(clip) for clip in paired.fakes}
    planted = {clip_id: each for clip_id, each in found.items() if each is not None}
    if not planted:
        first = paired.fakes[0].video_key
        raise UserError(f"--truth says nothing of {first} and the others; name the file of this data set")
    return planted


def _aligned_pairs(label: str, options: InputOptions, paired: PairedClips) -> Iterator[Pair]:
    with Progress(label, len(paired.fakes), "fakes") as progress:
        for pair in read_pairs(options, paired):
            if pair.aligned:
                yield pair
            progress.advance()


def _maps(judge: Judge, options: InputOptions, paired: PairedClips) -> tuple[dict[str, np.ndarray], int]:
    """By clip_id of aligned fakes, the map over all frames, float [R, h, w]; and how many are not aligned."""
    maps = {
        pair.fake.clip_id: judge.activation(pair).mean(axis=1)
        for pair in _aligned_pairs("maps", options, paired)
    }
    if not maps:
        raise UserError(
            "no fake shows the same frames as its original; convert videos that are as long as their "
            "originals, with --sampling=linspace"
        )
    return maps, len(paired.fakes) - len(maps)


def _judged(
    judge: Judge,
    options: InputOptions,
    paired: PairedClips,
    maps: dict[str, np.ndarray],
    planted: dict[str, Planted],
) -> tuple[list[Judged], np.ndarray]:
    """What was measured on each aligned fake, and the component of each, str [N]."""
    components = {clip.clip_id: clip.component for clip in paired.fakes}
    units = np.array([components[clip_id] for clip_id in maps], str)
    others = dict(zip(maps, mean_of_others(np.stack([*maps.values()]), units), strict=True))
    judged = []
    for number, pair in enumerate(_aligned_pairs("pasting", options, paired)):
        clip_id = pair.fake.clip_id
        random = np.random.default_rng([_SEED, number])
        judged.append(judge.judge(pair, others[clip_id], planted.get(clip_id), random))
    return judged, units


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
