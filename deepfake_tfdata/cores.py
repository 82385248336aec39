"""How many cores this process may use: a scheduler pins it to some, a container has a quota of their time."""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath


def available_cores() -> int:
    """The cores that affinity and the control group's quota leave; a part of one counts as one."""
    quota = cpu_quota()
    cores = _usable_cores()
    return cores if quota is None else min(cores, math.ceil(quota))


def cpu_quota(root: Path = Path("/")) -> float | None:
    """The smallest quota of this process's control groups, in cores; None where there is none.

    The files are those that Linux documents for cgroup v2 (cpu.max) and v1 (cpu.cfs_quota_us). In a container
    the group often has a name of the host's that is not to be seen, and the mount itself is the container's
    group: so every folder on the way up counts.

    Args:
        root: where /proc and /sys are.
    """
    quotas = []
    for folder in _folders(root):
        with suppress(OSError):
            quotas.append(quota_v2((folder / "cpu.max").read_text()))
        with suppress(OSError):
            texts = [(folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")]
            quotas.append(quota_v1(*texts))
    return min((quota for quota in quotas if quota is not None), default=None)


def quota_v2(text: str) -> float | None:
    """Cores by the text of cpu.max: '150000 100000' is one and a half, 'max 100000' no quota."""
    quota, _, period = text.strip().partition(" ")
    return None if quota == "max" else int(quota) / int(period)


def quota_v1(quota: str, period: str) -> float | None:
    """Cores by the texts of cpu.cfs_quota_us and cpu.cfs_period_us; a quota of -1 is none."""
    return None if int(quota) < 0 else int(quota) / int(period)


def _folders(root: Path) -> Iterator[Path]:
    """Of the groups that limit this process, its own first."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, name = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):
                continue
            mount = root / "sys/fs/cgroup" / controllers  # v2 names none
            path = PurePosixPath(name.lstrip("/"))
            yield from (mount / each for each in (path, *path.parents))


def _usable_cores() -> int:
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
