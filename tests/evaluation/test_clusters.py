import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake_tfdata.evaluation.clusters import (
    clusters_of,
    components_of,
    identity_clusters,
    joined,
    separate_clusters,
)


def swapped(pairs):
    """Targets, sources and components of originals and fakes of both ways of each pair."""
    rows = [row for a, b in pairs for row in ((a, ""), (b, ""), (a, b), (b, a))]
    targets, sources = map(np.array, zip(*rows, strict=True))
    return components_of(targets, sources), targets, sources


def test_pairs_are_the_clusters_of_swapped_pairs():
    components, targets, sources = swapped([("000", "003"), ("001", "870"), ("002", "006")])
    clusters = clusters_of(components, targets, sources)
    assert clusters.separate and clusters.count == 3
    assert clusters.members[0].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert clusters.counts(np.array([0, 0, 1, 1] * 3)) == (3, 3)


def test_identities_are_the_clusters_where_everybody_is_joined():
    ring = [(f"id{a}", f"id{(a + 1) % 9}") for a in range(9)]
    components, targets, sources = swapped(ring)
    clusters = clusters_of(components, targets, sources)
    assert len(set(components)) == 1
    assert not clusters.separate and clusters.count == 9
    # A pair that stands beside a component with nearly all does not make it better.
    components, targets, sources = swapped([*ring, ("x", "y")])
    assert not clusters_of(components, targets, sources).separate
    # Half and half is two clusters.
    assert clusters_of(*swapped([("a", "b"), ("c", "d")])).separate


def test_one_person_is_one_cluster():
    clusters = clusters_of(np.array(["a", "a"]), np.array(["a", "a"]), np.array(["", ""]))
    assert clusters.separate and clusters.count == 1


def test_a_fake_weighs_the_product_of_its_identities():
    clusters = identity_clusters(np.array(["a", "b", "a"]), np.array(["", "", "b"]))
    weights = clusters.draw(np.random.default_rng(0), 20_000)
    np.testing.assert_allclose(weights[:, 2], weights[:, 0] * weights[:, 1])
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.05)
    assert weights[:, 0].var() == pytest.approx(1, abs=0.05)
    assert (weights > 0).all()


def test_separate_clusters_are_drawn_with_replacement():
    clusters = separate_clusters(np.array(["b", "a", "b", "c"]))
    weights = clusters.draw(np.random.default_rng(0), 100)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, [0, 1, 3]].sum(axis=1), np.full(100, 3))


def test_a_unit_with_many_videos_makes_the_others_worth_less():
    labels = np.repeat([0, 1], 5)
    even = separate_clusters(np.tile(np.arange(5), 2))
    assert (even.counts(labels), even.effective_count(labels)) == ((5, 5), 5)
    uneven = separate_clusters(np.array([0, 0, 0, 0, 1, 0, 1, 2, 3, 4]))
    assert (uneven.counts(labels), uneven.effective_count(labels)) == ((2, 5), 25 / 17)


def test_units_without_a_video_no_longer_count():
    clusters = separate_clusters(np.array(["a", "b", "b", "c"])).select(np.array([1, 2, 3]))
    assert (clusters.count, clusters.members.tolist()) == (2, [[0, 0, 1]])
    pair = identity_clusters(np.array(["a", "b"]), np.array(["", "c"])).select(np.array([True, False]))
    assert (pair.count, pair.members.tolist()) == (1, [[0], [-1]])


def test_what_one_table_does_not_know_another_does():
    knows = np.array(["p", "p", "q", "q", "r"])
    alone = np.array(list("abcde"))
    assert (joined([alone, knows])[:, None] == joined([alone, knows])).tolist() == (
        knows[:, None] == knows
    ).tolist()
    across = np.array(["x", "y", "y", "z", "w"])  # joins p and q
    assert joined([knows, across]).tolist() == ["p", "p", "p", "p", "r"]


names = st.lists(st.tuples(*[st.integers(0, 5)] * 2), min_size=1, max_size=20)


@given(names)
def test_components_join_what_shares_an_identity_and_nothing_else(pairs):
    targets = np.array([f"t{a}" for a, _ in pairs])
    sources = np.array([f"t{b}" if b else "" for _, b in pairs])
    found = components_of(targets, sources)
    group = {name: {name} for name in {*targets, *sources} - {""}}
    for target, source in zip(targets, sources, strict=True):
        if source:
            both = group[target] | group[source]
            group.update(dict.fromkeys(both, both))
    for one, name in zip(found, targets, strict=True):
        assert one in group[name]
    assert len(set(found)) == len({frozenset(group[name]) for name in targets})


@given(st.lists(names, min_size=1, max_size=1), st.integers(2, 4))
def test_joining_is_blind_to_order_and_to_what_is_known_already(rows, times):
    groups = np.array([f"g{a}" for a, _ in rows[0]]), np.array([f"h{b}" for _, b in rows[0]])
    once, again = joined(groups), joined([*reversed(groups)] * times)
    assert ((once[:, None] == once) == (again[:, None] == again)).all()
    assert len(set(once)) <= min(len(set(each)) for each in groups)
