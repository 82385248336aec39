"""Tables of what was measured."""

from collections.abc import Mapping
from typing import Any

from tools.benchmark_step.rounds import PHASES, Result
from tools.benchmark_step.rows import OURS, ROWS

# A training step counts as three forward passes, of operations as of bytes.
PASSES = {"forward": 1, "train": 3}
SCALED = ("batch_size", "num_frames", "frame_size")


def rows_table(results: Mapping[str, Result]) -> str:
    """A line a row, with its times over ours; then what bounds ours."""
    columns = [
        "",
        "forward, first s",
        "forward, s",
        "/ ours",
        "training, first s",
        "training, s",
        "/ ours",
        "GiB",
    ]
    ours = results.get(OURS, {})
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)]]
    for name, result in results.items():
        cells = [ROWS[name].title]
        if "skipped" in result:
            cells += [result["skipped"], *[""] * (len(columns) - 2)]
        else:
            for phase in PHASES:
                steady = result[f"{phase}_s"]
                ratio = f"{steady / ours[f'{phase}_s']:.2f}" if f"{phase}_s" in ours else ""
                cells += [f"{result[f'{phase}_first_s']:.3g}", f"{steady:.3g}", ratio]
            cells.append(f"{result['peak_memory_gib']:.3g}")
        lines.append(cells)
    return _markdown(lines)


def scaling_table(results: Mapping[str, Result]) -> str:
    """A line a size: seconds, frames a second, share of the peak, and what bounds it."""
    columns = ["batch", "frames", "size"]
    for phase in ("forward", "training"):
        columns += [f"{phase}, s", "frames/s", "of the peak", "bound, s", "by"]
    columns.append("GiB")
    lines = [columns, ["---:"] * len(columns)]
    for name, result in results.items():
        if "skipped" in result:
            lines.append([name, result["skipped"], *[""] * (len(columns) - 2)])
            continue
        cells = [str(result[each]) for each in SCALED]
        for phase in PHASES:
            steady, least = result[f"{phase}_s"], bound(result, phase)
            share = PASSES[phase] * result["gflop"] / steady / result["peak_gflops"]
            by = max(least, key=least.__getitem__)
            frames = result["batch_size"] * result["num_frames"] / steady
            cells += [f"{steady:.3g}", f"{frames:.3g}", f"{share:.0%}", f"{least[by]:.3g}", by]
        lines.append([*cells, f"{result['peak_memory_gib']:.3g}"])
    return _markdown(lines)


def resize_table(found: Mapping[str, Any]) -> str:
    """A line a precision and size: errors in grey levels, emulated with NumPy or measured on the device."""
    lines = [["", "how", "largest", "RMS", "values changed"], ["---", "---", *["---:"] * 3]]
    for how, cases in (("emulated", found["emulated"]), (f"on {found['device']}", found["measured"])):
        for name, error in cases.items():
            changed = f"{error['changed']:.2%}"
            lines.append([name, how, f"{error['largest']:.3g}", f"{error['rms']:.2g}", changed])
    return _markdown(lines)


def bound(result: Mapping[str, Any], phase: str) -> dict[str, float]:
    """The least seconds that a phase can take by its products, and by its bytes where no layers are fused."""
    return {
        "products": PASSES[phase] * result["gflop"] / result["peak_gflops"],
        "bytes": PASSES[phase] * result["gbyte"] / result["peak_gbytes"],
    }


def _markdown(lines: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
