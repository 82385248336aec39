"""Which clips a batch has: a pure function of the seed, the epoch and the batch's number.

Nothing is drawn from a buffer, so an epoch is shuffled as a whole, a batch is named without reading it,
training resumes anywhere at once, and hosts share the work by arithmetic.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.options import parse_balance
from deepfake_tfdata.records.index import IndexedClip

# Of the block cipher behind a permutation; four, the default, leave neighbours together a little too often.
_ROUNDS = 8
# SplitMix64's constants, as signed numbers.
_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_MIX = ((30, 0xBF58476D1CE4E5B9 - 2**64), (27, 0x94D049BB133111EB - 2**64))


@dataclass(frozen=True)
class Sampler:
    """Draws clips from groups in a fixed cycle, each group in a random order of its own.

    Attributes:
        groups: int64 [N, M] each: N draws of M clips, by their position in the index.
        cycle: which group each draw of a cycle takes.
    """

    groups: tuple[np.ndarray, ...]
    cycle: tuple[int, ...]

    @property
    def clips_per_draw(self) -> int:
        """How many clips stand together: two of a pair."""
        return self.groups[0].shape[1]

    def draw(self, positions: tf.Tensor, epoch: tf.Tensor, seed: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Which clips are at positions of an epoch, and how often each was drawn in it before.

        A group that is used up begins again in another order; a new epoch begins anew.

        Args:
            positions: int64 [P], from 0.
            epoch: int64.
            seed: of the order.

        Returns:
            Both int64 [P]; the clips by their positions in the index.
        """
        draws = positions // self.clips_per_draw
        cycle = np.array(self.cycle)
        in_cycle = draws % len(cycle)
        group = tf.gather(tf.constant(cycle, tf.int64), in_cycle)
        shares = np.bincount(cycle)
        ranks = np.array([(cycle[:i] == cycle[i]).sum() for i in range(len(cycle))])
        drawn = draws // len(cycle) * tf.gather(shares, group) + tf.gather(ranks, in_cycle)

        sizes = np.array([len(each) for each in self.groups], np.int64)
        size = tf.gather(sizes, group)
        turn = drawn // size
        shuffled = _shuffled(drawn % size, size, seed, epoch, turn * len(self.groups) + group)

        members = tf.constant(np.concatenate(self.groups))
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        places = tf.stack([tf.gather(first, group) + shuffled, positions % self.clips_per_draw], axis=1)
        return tf.gather_nd(members, places), turn


@dataclass(frozen=True)
class HostShare:
    """Which part of every training step this host loads.

    Attributes:
        index: of this host, from 0.
        count: how many hosts load.
        step_size: clips a step takes over all hosts and replicas; an epoch is cut to whole steps.
    """

    index: int
    count: int
    step_size: int


@dataclass(frozen=True)
class BatchOrder:
    """The batches of one host, numbered from the first of epoch 0 on.

    Attributes:
        num_clips: of an epoch.
        batch_size: clips a batch.
        drop_remainder: whether an epoch has whole steps only.
        share: of this host: one of equal runs of every step's positions, so that pairs stay together.
        sampler: from positions to clips; None takes the clips in order.
        seed: of the sampler.
    """

    num_clips: int
    batch_size: int
    drop_remainder: bool
    share: HostShare
    sampler: Sampler | None
    seed: int

    def __post_init__(self) -> None:
        share = self.share
        if not 0 <= share.index < share.count or share.step_size % (share.count * self.batch_size):
            raise UserError(
                f"{share} can't be loaded in batches of {self.batch_size}; a step must be whole batches of "
                "every host"
            )
        if self.sampler and self.batch_size % self.sampler.clips_per_draw:
            raise UserError(
                f"--pairs needs an even number of clips a device, not {self.batch_size}; change --batch_size"
            )

    @property
    def _clips_per_step(self) -> int:
        return self.share.step_size // self.share.count

    @property
    def clips_per_epoch(self) -> int:
        """How many clips this host loads in an epoch."""
        steps, rest = divmod(self.num_clips, self.share.step_size)
        rest = 0 if self.drop_remainder else rest - self.share.index * self._clips_per_step
        return steps * self._clips_per_step + min(max(rest, 0), self._clips_per_step)

    @property
    def batches_per_epoch(self) -> int:
        """How many batches this host loads in an epoch."""
        return -(-self.clips_per_epoch // self.batch_size)

    def numbers(self, num_epochs: int | None, first_epoch: int, first_step: int) -> tuple[int, int]:
        """The first number of some epochs' batches, and the first after them; None never ends."""
        batches_per_step = self._clips_per_step // self.batch_size
        first = first_epoch * self.batches_per_epoch + first_step * batches_per_step
        end = tf.int64.max if num_epochs is None else (first_epoch + num_epochs) * self.batches_per_epoch
        return first, end

    def batch(self, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """A batch's epoch, int64, its clips, int64 [B] positions in the index, and how often each of them was
        drawn in the epoch before, int64 [B].
        """
        epoch = number // self.batches_per_epoch
        first = number % self.batches_per_epoch * self.batch_size
        of_host = tf.range(first, tf.minimum(first + self.batch_size, self.clips_per_epoch))
        step, place = of_host // self._clips_per_step, of_host % self._clips_per_step
        positions = step * self.share.step_size + self.share.index * self._clips_per_step + place
        if self.sampler is None:
            return epoch, positions, tf.zeros_like(positions)
        return epoch, *self.sampler.draw(positions, epoch, self.seed)


def build_sampler(clips: Sequence[IndexedClip], balance: str = "none", pairs: bool = False) -> Sampler:
    """A sampler of a split's clips.

    Args:
        clips: of the split, in the index's order.
        balance: 'none' takes every clip once an epoch; 'class' as many real as fake ones; 'method' also
            every manipulation method equally often; or weights, such as 'original:2,Face2Face:1', whole
            numbers that say how often each is drawn in a cycle. What is not named is left out.
        pairs: draw a fake together with its original; fakes without one are left out, and originals without
            a fake.

    Raises:
        UserError: an unknown balance, or a class or method without clips.
    """
    if pairs and balance != "none":
        raise UserError(f"--balance={balance} goes not with --pairs, which has as many real as fake clips")
    if pairs:
        return Sampler((_pairs(clips),), (0,))
    weights = _weights(clips, balance)
    groups = [
        np.array([[row] for row, clip in enumerate(clips) if name in ("", clip.manipulation, _class(clip))])
        for name in weights
    ]
    return Sampler(tuple(groups), _spread(list(weights.values())))


def _shuffled(index: tf.Tensor, size: tf.Tensor, seed: int, epoch: tf.Tensor, turn: tf.Tensor) -> tf.Tensor:
    """Where permutations of `size` elements put some of them, computed one by one: nothing is kept or drawn.

    Args:
        index, size: int64 [P].
        seed, epoch, turn: the permutation's name; turn is int64 [P].
    """
    # The op takes a byte or so of each seed, so that small ones would give a few hundred permutations in all.
    name = _mixed(_mixed(_mixed(tf.constant(seed, tf.int64)) + epoch) + turn)
    seeds = tf.stack([_mixed(name + part) for part in range(3)], axis=1)
    return tf.raw_ops.RandomIndexShuffle(index=index, seed=seeds, max_index=size - 1, rounds=_ROUNDS)


def _mixed(value: tf.Tensor) -> tf.Tensor:
    """An int64 with every bit dependent on every bit: the finish of SplitMix64 (Steele et al. 2014)."""
    value += _GOLDEN
    for shift, factor in _MIX:
        value = tf.bitwise.bitwise_xor(value, tf.bitwise.right_shift(value, tf.constant(shift, tf.int64)))
        value *= factor
    return tf.bitwise.bitwise_xor(value, tf.bitwise.right_shift(value, tf.constant(31, tf.int64)))


def _weights(clips: Sequence[IndexedClip], balance: str) -> dict[str, int]:
    """How often each class or method is drawn in a cycle; '' stands for all clips."""
    methods = sorted({clip.manipulation for clip in clips if clip.label == 1})
    known = {name for clip in clips for name in (clip.manipulation, _class(clip))}
    weights = {
        "none": {"": 1},
        "class": {"real": 1, "fake": 1},
        "method": {"real": len(methods), **dict.fromkeys(methods, 1)},
    }.get(balance) or parse_balance(balance)
    for name in weights:
        if name and name not in known:
            raise UserError(
                f"--balance={balance} needs clips of '{name}', and there are none; "
                f"there are {', '.join(sorted(known))}"
            )
    return weights


def _class(clip: IndexedClip) -> str:
    return "fake" if clip.label else "real"


def _spread(weights: Sequence[int]) -> tuple[int, ...]:
    """A cycle in which each group comes as often as its weight says, evenly spread."""
    slots = [
        ((place + 0.5) / weight, group) for group, weight in enumerate(weights) for place in range(weight)
    ]
    return tuple(group for _, group in sorted(slots))


def _pairs(clips: Sequence[IndexedClip]) -> np.ndarray:
    """int64 [N, 2]: each fake after its original."""
    originals = {clip.clip_id.partition("/")[2]: row for row, clip in enumerate(clips) if clip.label == 0}
    pairs = []
    for row, clip in enumerate(clips):
        # The run of adjacent frames, if there are several a video, is the same in both.
        _, run, number = clip.clip_id.partition("#")
        original = originals.get(f"{clip.target_id}{run}{number}")
        if clip.label == 1 and original is not None:
            pairs.append((original, row))
    if not pairs:
        raise UserError("--pairs found no fake whose original is among the clips; leave it out")
    return np.array(pairs)
