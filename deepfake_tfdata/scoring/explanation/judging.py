"""Explanations tried out on fakes whose originals are known: what falls when their pixels are pasted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.evaluation.explanation import (
    AREA,
    AREAS,
    CHANCE_DRAWS,
    Example,
    is_inside,
    most_important,
    moved,
    nearness_to_centre,
    peak,
    share_inside,
    spearman,
)
from deepfake_tfdata.evaluation.explanation_figures import METHODS
from deepfake_tfdata.model.resize import ResizeView
from deepfake_tfdata.scoring.explanation.explainer import Explainer
from deepfake_tfdata.scoring.explanation.pairs import Pair
from deepfake_tfdata.scoring.explanation.truth import Planted
from deepfake_tfdata.scoring.places import (
    Placed,
    drawn,
    from_source,
    has_pixels,
    views_of_other,
)


@dataclass(frozen=True, eq=False)
class Judged:
    """What was measured on one fake; the values of `Findings`, and something to look at."""

    logit: float
    all_pasted: float
    falls: dict[str, np.ndarray]
    chance: dict[str, np.ndarray]
    randomised: float
    pointing: dict[str, float]
    correlations: dict[str, float]
    example: Example


class Judge:
    """Tries explanations of one detector.

    Args:
        explainer: of the detector.
        randomised: of the same network with randomised weights.
        regions: the names of what it looks at.
    """

    def __init__(self, explainer: Explainer, randomised: Explainer, regions: Iterable[str]) -> None:
        self._explainer, self._randomised, self._regions = explainer, randomised, tuple(regions)
        self._align = _Aligner()

    def activation(self, pair: Pair) -> np.ndarray:
        """The class-activation map of the fake, float32 [R, T, h, w]."""
        return self._explainer.class_activation(self._explainer.seen(pair.inputs))[0]

    def judge(
        self, pair: Pair, mean_map: np.ndarray, planted: Planted | None, random: np.random.Generator
    ) -> Judged:
        """Measures all that there is to be measured on one pair.

        Args:
            pair: whose frames are aligned.
            mean_map: float [R, h, w], where the map points on other people.
            planted: what was planted in the fake's video; None where that is not known.
            random: for places by chance.
        """
        seen = self._explainer.seen(pair.inputs)
        shape = seen[0].shape[1:3]
        maps = {
            "class_activation": self._explainer.class_activation(seen)[0],
            "occlusion": _in_all_frames(self._explainer.occlusion(seen)[0], shape[0]),
            "centre": _in_all_frames(np.stack([nearness_to_centre(shape[1])] * len(seen)), shape[0]),
            "mean_map": _in_all_frames(mean_map, shape[0]),
            "random_weights": self._randomised.class_activation(seen)[0],
        }
        paste = _Paste(self._explainer, seen, *self._align(seen, pair))
        falls, chance = _falls(paste, maps, shape[1], random)
        logit, all_pasted = paste.before, paste.of_everything()
        fall = float(falls["class_activation"][AREAS.index(AREA)])
        return Judged(
            logit=logit,
            all_pasted=all_pasted,
            falls=falls,
            chance=chance,
            randomised=spearman(maps["class_activation"], maps["random_weights"]),
            pointing=_pointing(pair, maps, planted),
            correlations=self._correlations(seen, pair, planted),
            example=self._example(pair, maps, planted, logit=logit, fall=fall, all_pasted=all_pasted),
        )

    def _correlations(self, seen: list[np.ndarray], pair: Pair, planted: Planted | None) -> dict[str, float]:
        frames = {"replacement": self._explainer.frame_replacement(seen)[0]}
        attention = self._explainer.attention(seen)
        if attention is not None:
            frames["attention"] = attention[0]
        if planted is not None and planted.strengths is not None:
            frames["strength"] = planted.strengths[pair.frame_indices]
        return {
            f"{first}_{second}": spearman(frames[first], frames[second])
            for first, second in (
                ("attention", "replacement"),
                ("attention", "strength"),
                ("replacement", "strength"),
            )
            if first in frames and second in frames
        }

    def _example(
        self, pair: Pair, maps: Mapping[str, np.ndarray], planted: Planted | None, **values: float
    ) -> Example:
        activation = maps["class_activation"]
        region, frame = np.unravel_index(activation.max(axis=(-2, -1)).argmax(), activation.shape[:2])
        placed = pair.fake_regions[region]
        height, width = placed.frames.shape[1:3]
        index = int(pair.frame_indices[frame])
        box = None
        if planted is not None:
            box = from_source(planted.boxes[index][None], placed.covers[[frame]], placed.frames.shape)[0]
        return Example(
            clip_id=pair.fake.clip_id,
            region=self._regions[region],
            frame_index=index,
            crop=placed.frames[frame],
            maps={name: drawn(maps[name][region, frame], placed.square, height, width) for name in METHODS},
            box=box,
            **values,
        )


class _Aligner:
    """Shows the original where the network's square lies in the fake, the same pixels of the source."""

    def __init__(self) -> None:
        self._resizes: dict[int, tf.types.experimental.PolymorphicFunction] = {}

    def __call__(self, seen: list[np.ndarray], pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """The original's squares, uint8 [R, T, S, S, 3], and where they have pixels, bool [R, T, S, S]."""
        size = seen[0].shape[2]
        shown = [
            self._shown(fake, original, size)
            for fake, original in zip(pair.fake_regions, pair.original_regions, strict=True)
        ]
        squares, has = zip(*shown, strict=True)
        return np.stack(squares), np.stack(has)

    def _shown(self, fake: Placed, original: Placed, size: int) -> tuple[np.ndarray, np.ndarray]:
        if size not in self._resizes:
            self._resizes[size] = tf.function(ResizeView(size), reduce_retracing=True, autograph=False)
        views = views_of_other(fake, original)
        squares = self._resizes[size](tf.constant(original.frames[:, None]), tf.constant(views))
        return squares.numpy()[:, 0], has_pixels(views, size)


class _Paste:
    """A fake with its original's pixels put in places.

    Args:
        explainer: of the detector.
        seen: of the fake, uint8 [1, T, S, S, 3] a region.
        original: uint8 [R, T, S, S, 3].
        has: bool [R, T, S, S], where the original has pixels; elsewhere the fake keeps its own.
    """

    def __init__(
        self, explainer: Explainer, seen: list[np.ndarray], original: np.ndarray, has: np.ndarray
    ) -> None:
        self._explainer, self._seen, self._original, self._has = explainer, seen, original, has
        self.before = float(explainer.logits(seen)[0])

    def falls(self, places: Sequence[np.ndarray]) -> np.ndarray:
        """By how much the logit falls with the original in each of these places, bool [R, T, S, S]: [N]."""
        pasted = [
            np.where((np.stack(of_region) & has)[..., None], original, fake)
            for of_region, has, original, fake in zip(
                zip(*places, strict=True), self._has, self._original, self._seen, strict=True
            )
        ]
        return self.before - self._explainer.logits(pasted)

    def of_everything(self) -> float:
        """The same with all that the original has."""
        return float(self.falls([np.ones_like(self._has)])[0])


def _falls(
    paste: _Paste, maps: Mapping[str, np.ndarray], size: int, random: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """By map, the falls [A] at each of AREAS; and by method, the mean falls of its shape moved by chance."""
    falls, chance = {}, {}
    whole = np.array([0.0, 0.0, size, size])
    for name, values in maps.items():
        fine = drawn(values, whole, size, size)
        places = [most_important(fine, area) for area in AREAS]
        falls[name] = paste.falls(places)
        if name in METHODS:
            elsewhere = [[moved(each, random) for _ in range(CHANCE_DRAWS)] for each in places]
            chance[name] = np.array([paste.falls(draws).mean() for draws in elsewhere])
    return falls, chance


def _pointing(pair: Pair, maps: Mapping[str, np.ndarray], planted: Planted | None) -> dict[str, float]:
    """By map, the share of frames whose peak lies in the planted box; {} where that is not known."""
    if planted is None:
        return {}
    boxes = planted.boxes[pair.frame_indices]
    squares = np.stack([each.squares_in_frame for each in pair.fake_regions])
    hits = {"chance": float(share_inside(squares, boxes).mean())}
    for name, values in maps.items():
        region, share = peak(values)
        square = squares[region, np.arange(len(region))]
        points = square[:, :2] + share * (square[:, 2:] - square[:, :2])
        hits[name] = float(is_inside(points, boxes).mean())
    return hits


def _in_all_frames(values: np.ndarray, num_frames: int) -> np.ndarray:
    """[R, T, h, w] of [R, h, w]."""
    return np.repeat(values[:, None], num_frames, axis=1)


def shuffle_weights(detector: keras.Model, seed: int) -> None:
    """Randomises a detector, in place: the values of every tensor of weights change places by chance.

    What was learned is gone, and the size of numbers stays, so that no layer over- or underflows (Adebayo et
    al. 2018, arXiv 1810.03292, randomise all layers likewise).
    """
    random = np.random.default_rng(seed)
    for variable in detector.weights:
        values = keras.ops.convert_to_numpy(variable)
        variable.assign(random.permutation(values.ravel()).reshape(values.shape))
