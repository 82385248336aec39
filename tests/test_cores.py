"""How many cores a process may use, by real affinity and by trees of control groups."""

import os
import subprocess
import sys

import pytest

from deepfake_tfdata import cores
from deepfake_tfdata.cores import available_cores, cpu_quota, quota_v1, quota_v2

V2_GROUP = "0::/system.slice/docker-1\n"
V1_GROUP = "5:cpuset:/docker/1\n4:cpu,cpuacct:/docker/1\n3:memory:/docker/1\n"


@pytest.fixture
def machine(tmp_path):
    """A root with the files given by their paths."""

    def make(**files):
        for name, text in files.items():
            path = tmp_path / PLACES[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


PLACES = {
    "groups": "proc/self/cgroup",
    "own": "sys/fs/cgroup/system.slice/docker-1/cpu.max",
    "parent": "sys/fs/cgroup/system.slice/cpu.max",
    "mount": "sys/fs/cgroup/cpu.max",
    "colon": "sys/fs/cgroup/a:b/cpu.max",
    "quota": "sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us",
    "period": "sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us",
    "mount_quota": "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us",
    "mount_period": "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us",
    "other_quota": "sys/fs/cgroup/cpuset/docker/1/cpu.cfs_quota_us",
}


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"groups": V2_GROUP}, None),
        ({"groups": V2_GROUP, "own": "max 100000\n"}, None),
        ({"groups": V2_GROUP, "own": "150000 100000\n"}, 1.5),
        ({"groups": V2_GROUP, "own": "max 100000\n", "parent": "400000 100000\n"}, 4),
        ({"groups": V2_GROUP, "own": "800000 100000\n", "parent": "400000 100000\n"}, 4),
        ({"groups": V2_GROUP, "mount": "200000 100000\n"}, 2),
        ({"groups": "0::/\n", "mount": "200000 100000\n"}, 2),
        ({"groups": "0::/a:b\n", "colon": "300000 100000\n"}, 3),
        ({"groups": V1_GROUP, "quota": "-1\n", "period": "100000\n"}, None),
        ({"groups": V1_GROUP, "quota": "200000\n", "period": "100000\n"}, 2),
        ({"groups": V1_GROUP, "mount_quota": "50000\n", "mount_period": "100000\n"}, 0.5),
        ({"groups": V1_GROUP, "other_quota": "200000\n"}, None),
    ],
)
def test_the_quota_is_the_smallest_of_the_groups_that_can_be_seen(files, quota, machine):
    assert cpu_quota(machine(**files)) == quota


def test_the_texts_of_the_kernel():
    assert (quota_v2("max 100000\n"), quota_v2("150000 100000\n")) == (None, 1.5)
    assert (quota_v1("-1\n", "100000\n"), quota_v1("150000\n", "50000\n")) == (None, 3)


@pytest.mark.parametrize(("quota", "expected"), [(None, 8), (64, 8), (2, 2), (1.2, 2), (0.1, 1)])
def test_a_part_of_a_core_counts_as_one(quota, expected, monkeypatch):
    monkeypatch.setattr(cores, "_usable_cores", lambda: 8)
    monkeypatch.setattr(cores, "cpu_quota", lambda: quota)
    assert available_cores() == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="nothing is pinned here")
def test_a_pinned_process_starts_as_many_workers_as_it_has_cores():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
        "from deepfake_tfdata.records.options import ExecutionOptions; print(ExecutionOptions().workers)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "1\n"
