"""The benchmark trains both ways and prints how they compare."""

import shutil

import pytest

from tests.processes import FORKING
from tools import benchmark_features as benchmark


@pytest.mark.slow
def test_both_ways_are_trained_and_compared(resized_records, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "subprocess", FORKING)
    # As short as leaves an epoch to count.
    ways = {way: (2, more) for way, (_, more) in benchmark.WAYS.items()}
    monkeypatch.setattr(benchmark, "WAYS", ways)
    own_records = shutil.copytree(resized_records, tmp_path / "records")  # features are kept in it
    benchmark.main([f"--data={own_records}", "--backbone=meso4"])
    _, _, *rows = capsys.readouterr().out.splitlines()
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    assert [row[0] for row in cells] == [*ways, "ratio"]
    assert all(float(cell) > 0 for row in cells[:2] for cell in row[1:])
