import dataclasses
import json

import numpy as np
import pytest

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.records.face_sizes import bin_edges, density, summarise_face_sizes
from deepfake_tfdata.records.ledger import LedgerEntry
from deepfake_tfdata.records.plan import ShardPlan

SPEC = ClipSpec()


@pytest.mark.parametrize(
    ("region", "face", "values", "seen"),
    [
        ("full", 250, {}, (0.896, 0.896)),
        ("mouth", 250, {}, (0.896, 2.56)),
        ("mouth", 250, {"fit": "letterbox"}, (0.896, 0.896)),
        ("cheek_square", 250, {}, (2.987, 2.987)),
        ("full", 224, {}, (1, 1)),
        ("full", 200, {"margin": 0.25}, (0.747, 0.747)),
        ("full", 250, {"frame_size": 125}, (0.5, 0.5)),
        # Stored with 448 pixels, nothing is lost that the network could see; with 112, half of it.
        ("full", 500, {"max_side": 448}, (0.448, 0.448)),
        ("mouth", 448, {"max_side": 112}, (0.25, 0.25)),
    ],
)
def test_what_a_network_sees_of_a_region(region, face, values, seen):
    spec = dataclasses.replace(SPEC, **values)
    assert density(REGIONS[region], face, spec) == pytest.approx(seen, abs=1e-3)


@pytest.mark.parametrize("sizes", [(60, 900), (224, 224), (224, 300), (100, 224), (10, 11)])
def test_bins_hold_all_sizes_and_part_at_the_frame_size(sizes):
    edges = bin_edges(*sizes, 224)
    assert edges[0] <= sizes[0] and sizes[1] <= edges[-1] + 1e-9
    assert np.histogram(sizes, edges)[0].sum() == 2
    np.testing.assert_allclose(np.array(edges[1:]) / edges[:-1], 2**0.25)
    assert any(edge == 224 for edge in bin_edges(100, 300, 224))


def entries_of(sizes):
    """Videos that alternate between real and fake, with faces of those sizes; None gave no clip."""
    videos = [Video("", f"{n}", n % 2, "m", f"{n}") for n in range(len(sizes))]
    entries = {
        video.key: LedgerEntry(
            video.key, "ok", "", int(size is not None), 1.0, faces=FaceStatistics(face_size=size)
        )
        for video, size in zip(videos, sizes, strict=True)
    }
    return [ShardPlan("train", 0, 1, tuple(videos))], entries


def test_counts_by_class_quantiles_and_the_share_that_loses_detail():
    plan, entries = entries_of([100.0, 200.0, 250.0, 400.0, None])
    found = summarise_face_sizes(plan, entries, SPEC, ["mouth", "full"])
    assert {name: sum(counts) for name, counts in found.counts.items()} == {"real": 2, "fake": 2}
    assert all(len(counts) == len(found.edges) - 1 for counts in found.counts.values())
    assert found.quantiles["0.5"] == 225.0
    assert found.density["mouth"]["0.5"] == pytest.approx([0.996, 2.844], abs=1e-3)
    assert found.reduced == {"full": 0.5, "mouth": 0.5}
    json.dumps(dataclasses.asdict(found))


def test_without_a_face_there_is_nothing_to_say():
    assert summarise_face_sizes(*entries_of([None, None]), SPEC, ["full"]) is None


def test_a_conversion_says_how_large_its_faces_are(records):
    conversion = json.loads((records / "conversion.json").read_text())
    sizes = conversion["face_sizes"]
    ledger = [json.loads(line) for line in (records / "ledger.jsonl").read_text().splitlines()]
    assert sizes["quantiles"]["0.5"] == pytest.approx(
        np.median([entry["face_size"] for entry in ledger]), abs=0.06
    )
    assert sum(map(sum, sizes["counts"].values())) == len(ledger)
    assert set(sizes["density"]) == set(conversion["regions"])
