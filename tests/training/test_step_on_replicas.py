"""Single steps on two logical CPU devices, which stand in for two GPUs."""

import json

import numpy as np
import pytest

from tests.processes import run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def on_replicas():
    """What single steps on two replicas came to."""
    result = run("tests.training.step_on_replicas")
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout.splitlines()[-1])


def test_an_overflow_on_one_replica_skips_the_step_on_all(on_replicas):
    assert on_replicas["skipped"] == on_replicas["before"]
    assert on_replicas["scale"] == [[4.0], [4.0]]
    first, second = on_replicas["after"]
    assert first == second != on_replicas["before"][0]
    assert np.isfinite(first).all()


def test_gradients_are_cut_after_replicas_are_summed(on_replicas):
    assert on_replicas["update"] == pytest.approx([0.5, 0.5], rel=1e-5)


def test_a_trainer_gives_replicas_their_own_dropout(on_replicas):
    assert 0.3 < on_replicas["dropped_apart"] < 0.7


def test_replicas_that_normalize_apart_share_the_mean_of_their_statistics(on_replicas):
    plain, compiled = on_replicas["apart"]
    # Two steps with a momentum of one half, from a mean of 0 and a variance of 1.
    for result in (plain, compiled):
        assert result["statistics"] == [[[0.75 * 4]] * 2, [[0.25 + 0.75 * 17]] * 2]
    assert len(set(plain["losses"])) == 2


def test_replicas_take_the_same_steps_compiled(on_replicas):
    plain, compiled = on_replicas["apart"]
    assert compiled["losses"] == pytest.approx(plain["losses"], rel=1e-5)


def test_rematerialized_replicas_normalize_together(on_replicas):
    plain, rematerialized = on_replicas["rematerialized"]
    assert rematerialized["losses"] == pytest.approx(plain["losses"], rel=1e-5)
    for expected, found in zip(plain["statistics"], rematerialized["statistics"], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(found[0], found[1])
