"""The benchmark measures both variants and prints their ratio."""

import json

import pytest

from tools import benchmark_step as benchmark

SMALL = ["--backbone=meso4", "--num_frames=4", "--frame_size=32", "--batch_size=2", "--steps=1"]


@pytest.mark.slow
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


def test_scaling_grows_one_thing_at_a_time(monkeypatch, capsys):
    def measured(arguments, variant):
        options = vars(benchmark.parse_arguments(arguments))
        assert variant == "folded"
        return {**options, **dict.fromkeys(benchmark.MEASURES, 0.5)}

    monkeypatch.setattr(benchmark, "_measure_in_child", measured)
    benchmark.main([*SMALL, "--scaling"])
    _, _, *rows = capsys.readouterr().out.splitlines()
    sizes = [tuple(int(cell) for cell in row.split("|")[1:4]) for row in rows]
    assert sizes == [(2, 4, 32), (4, 4, 32), (8, 4, 32), (2, 8, 32), (2, 16, 32), (2, 4, 64), (2, 4, 128)]
    assert rows[0] == "| 2 | 4 | 32 | 0.5 | 0.5 | 16 | 16 | 0.5 | 50% | 50% |"
