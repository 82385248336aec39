"""The benchmark measures both variants and prints their ratio."""

import json

import pytest

from tools import benchmark_step as benchmark

SMALL = ["--backbone=meso4", "--num_frames=4", "--frame_size=32", "--batch_size=2", "--steps=1"]


@pytest.mark.parametrize("variant", ["folded", "time_distributed"])
def test_one_variant_is_measured(variant, tmp_path, capsys):
    output = tmp_path / "result.json"
    benchmark.main([*SMALL, f"--variant={variant}", f"--output={output}"])
    result = json.loads(output.read_text())
    assert result == json.loads(capsys.readouterr().out)
    assert result["variant"] == variant
    assert all(result[name] > 0 for name in benchmark.MEASURES)


def test_the_table_has_the_ratio_and_survives_a_failed_variant(monkeypatch, tmp_path):
    measured = {
        "folded": dict.fromkeys(benchmark.MEASURES, 2.0),
        "time_distributed": dict.fromkeys(benchmark.MEASURES, 30.0),
    }
    monkeypatch.setattr(benchmark, "_measure_in_child", lambda arguments, variant: measured[variant])
    benchmark.main([*SMALL, f"--output={tmp_path / 'table.md'}"])
    assert "| train_first_s | 2 | 30 | 15.0 |" in (tmp_path / "table.md").read_text()

    measured["time_distributed"] = {"error": "exit status -9"}
    with pytest.raises(SystemExit):
        benchmark.main([*SMALL, f"--output={tmp_path / 'table.md'}"])
    assert "| train_first_s | 2 | failed |  |" in (tmp_path / "table.md").read_text()
