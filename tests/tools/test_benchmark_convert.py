import json
import sys

import pytest

from tools.benchmark_convert import main


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_it_measures_every_way_and_writes_both_files(tmp_path, capsys):
    main(["--heights=240", "--frames=40", "--repeats=1", f"--output={tmp_path / 'speed'}"])
    result = json.loads((tmp_path / "speed.json").read_text())
    (row,) = result["rows"]
    assert row["height"] == 240
    for way in ("decode", "convert", "plain", "one_worker", "two_workers"):
        assert row[way] > 0
    assert 50 < row["peak_memory_mb"] < 400
    table = (tmp_path / "speed.md").read_text()
    assert "| 240 |" in table
    assert table.strip() == capsys.readouterr().out.strip()
