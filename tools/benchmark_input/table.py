"""Medians over the rounds, and the table of them."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from tools.benchmark_input.rows import CEILING, Row

# A row's measurements: of every round, or {"skipped": why}.
Result = dict[str, Any]


def summary(row: Row, rounds: Sequence[dict[str, Any]], num_frames: int, bytes_on_disk: int) -> Result:
    """One row's figures, out of what `process.run` gave in every round."""
    failed = [measured["failed"] for measured in rounds if "failed" in measured]
    if failed:
        return {"name": row.name, "skipped": f"failed: {failed[0]}"}
    rates = [measured["clips_per_second"] for measured in rounds]
    checked = next(measured for measured in rounds if "psnr" in measured)
    return {
        "name": row.name,
        "loader": row.loader,
        "clips_per_second": statistics.median(rates),
        "rates": rates,
        "frames_per_second": statistics.median(rates) * num_frames,
        "cpu_ms": statistics.median(measured["cpu_ms"] for measured in rounds),
        "first_batch": statistics.median(measured["first_batch"] for measured in rounds),
        "memory": max(measured["memory"] for measured in rounds),
        "bytes_a_clip": bytes_on_disk,
        "psnr": checked["psnr"],
        "originals": checked["originals"],
    }


def with_ratios(results: Sequence[Result]) -> list[Result]:
    """Adds `ratio` and `cpu_ratio`, to the fastest of the rows that only decode JPEG."""
    ceilings = [result for result in results if result.get("loader") == CEILING]
    if not ceilings:
        return list(results)
    ceiling = max(ceilings, key=lambda result: result["clips_per_second"])
    return [
        {
            **result,
            "ratio": result["clips_per_second"] / ceiling["clips_per_second"],
            "cpu_ratio": ceiling["cpu_ms"] / result["cpu_ms"],
        }
        if "skipped" not in result
        else result
        for result in results
    ]


def markdown(about: str, results: Sequence[Result]) -> str:
    """The table, with a line above that says what was measured where."""
    columns: dict[str, Callable[[Result], str]] = {
        "": lambda row: row["name"],
        "clips/s": lambda row: f"{row['clips_per_second']:.0f}",
        "rounds": lambda row: f"{min(row['rates']):.0f} to {max(row['rates']):.0f}",
        "frames/s": lambda row: f"{row['frames_per_second']:.0f}",
        "of the ceiling": lambda row: f"{row['ratio']:.2f}" if "ratio" in row else "",
        "CPU ms a clip": lambda row: f"{row['cpu_ms']:.1f}",
        "in CPU time": lambda row: f"{row['cpu_ratio']:.2f}" if "cpu_ratio" in row else "",
        "MB a clip": lambda row: f"{row['bytes_a_clip'] / 1e6:.2f}",
        "PSNR, dB": lambda row: "lossless" if row["psnr"] is None else f"{row['psnr']:.1f}",
        "peak MB": lambda row: f"{row['memory']:.0f}",
        "first batch, s": lambda row: f"{row['first_batch']:.1f}",
    }
    lines = [list(columns), ["---", *["---:"] * (len(columns) - 1)]]
    for row in results:
        if "skipped" in row:
            lines.append([row["name"], row["skipped"], *[""] * (len(columns) - 2)])
        else:
            lines.append([show(row) for show in columns.values()])
    return "\n".join([about, "", *("| " + " | ".join(line) + " |" for line in lines)])
