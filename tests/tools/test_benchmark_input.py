import contextlib
import json
import os
import sys

import pytest

from tests.processes import FORKING, start_command
from tools.benchmark_input import process, records
from tools.benchmark_input.__main__ import main
from tools.benchmark_input.rows import CEILING, COMBINATIONS, OURS, PEERS, ROWS, Row
from tools.benchmark_input.table import markdown, summary, with_ratios

# Accurate decoders are at 44 dB with these videos and TensorFlow's fast one at 40; another clip is below 20.
JPEG_PSNR = 35


@pytest.mark.skipif(sys.platform != "linux", reason="reads memory and processor time from /proc")
@pytest.mark.slow
def test_loaders_decode_the_same_clips(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(process, "_start", lambda command, errors: start_command(command))
    monkeypatch.setattr(records, "subprocess", FORKING)
    # Every kind of loader, but not every encoding: a row takes some six seconds.
    only = ("pillow", "resized jpeg", "native raw", "DALI", "Grain", "WebDataset", "TFDS", "Keras")
    chosen = [row for row in ROWS if any(name in row.name for name in only)]
    arguments = ["--clips=4", "--num_frames=4", "--frame_size=48", "--batch_size=2", "--rounds=1"]
    with contextlib.suppress(SystemExit):  # a failed row is shown below
        main([*arguments, "--seconds=0.2", f"--only={'|'.join(only)}", f"--output={tmp_path / 'speed'}"])
    rows = json.loads((tmp_path / "speed.json").read_text())["rows"]
    assert [row["name"] for row in rows] == [row.name for row in chosen]
    for row, result in zip(chosen, rows, strict=True):
        if "skipped" in result:
            assert result["skipped"].startswith("refused: --" if row.combination else "not installed: "), (
                result
            )
            continue
        assert result["originals"] == 4
        lossless = row.combination is not None and "jpeg" not in row.combination
        assert result["psnr"] is None if lossless else result["psnr"] > JPEG_PSNR, result
        for figure in ("clips_per_second", "cpu_ms", "ratio", "first_batch", "memory", "bytes_a_clip"):
            assert result[figure] > 0, (row.name, figure)
    assert any("skipped" not in result for row, result in zip(chosen, rows, strict=True) if row in OURS)
    table = (tmp_path / "speed.md").read_text()
    assert table.strip() == capsys.readouterr().out.strip()
    lines = table.splitlines()[2:]
    assert len(lines) == 2 + len(chosen)
    assert len({line.count(" | ") for line in lines}) == 1


def test_a_row_says_what_is_not_installed():
    row = Row("x", "x", "x", ("json", "no_such_package.module", "no_such_module"))
    assert row.missing() == ["no_such_package.module", "no_such_module"]
    assert "| x | not installed: no_such_module |" in markdown(
        "", [{"name": "x", "skipped": "not installed: no_such_module"}]
    )


@pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc")
def test_a_process_that_ends_before_the_first_interval_has_used_memory():
    assert process._MemoryWatch([os.getpid()]).stop() > 0


def test_medians_and_ratios():
    def measured(rate, **more):
        return {"clips_per_second": rate, "cpu_ms": 1, "first_batch": 1, "memory": rate, **more}

    rounds = [measured(10, psnr=40.0, originals=4), measured(30), measured(20)]
    ceiling = summary(Row("fast", CEILING, ""), rounds, 4, 100)
    ours = summary(PEERS[0], [measured(5, psnr=None, originals=4)], 4, 100)
    fast, slow = with_ratios([ceiling, ours])
    assert (fast["clips_per_second"], fast["frames_per_second"], fast["memory"]) == (20, 80, 30)
    assert (fast["ratio"], slow["ratio"]) == (1, 0.25)
    assert "lossless" in markdown("", [slow])
    failed = summary(PEERS[0], [measured(5, psnr=None, originals=4), {"failed": "why"}], 4, 100)
    assert failed["skipped"] == "failed: why"


def test_every_combination_has_a_row():
    assert [row.combination for row in OURS] == list(COMBINATIONS)


def test_other_settings_need_another_work_folder(tmp_path):
    (tmp_path / "settings.json").write_text("{}")
    with pytest.raises(SystemExit, match="choose another --work"):
        main([f"--work={tmp_path}"])
