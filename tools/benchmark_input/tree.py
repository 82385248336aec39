"""Memory and processor time of processes and all that they started, from /proc."""

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def with_children(pids: Iterable[int]) -> list[int]:
    """The processes, their children, and theirs."""
    found, open_ = [], list(pids)
    while open_:
        pid = open_.pop()
        found.append(pid)
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                open_ += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # it has just ended
            continue
    return found


def megabytes(pids: Iterable[int]) -> float:
    """Their proportional set sizes: a page that a parent and its forked workers share counts once."""
    return sum(_pss(pid) for pid in with_children(pids)) / 1000


def processor_seconds(pids: Iterable[int]) -> float:
    """What they have used so far, in user and system mode."""
    return sum(_ticks(pid) for pid in with_children(pids)) / _TICKS


def _pss(pid: int) -> int:
    lines = _read(pid, "smaps_rollup").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _ticks(pid: int) -> int:
    # The command's name, in brackets, may hold blanks; utime and stime are the 12th and 13th field after it.
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:13]))


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:  # it has just ended
        return ""
