"""The machines of a run, as the environment variable TF_CONFIG lists them."""

import json
import os
from dataclasses import dataclass
from typing import Any

from deepfake_tfdata.errors import UserError

# The jobs whose machines train, in the order in which these are numbered. A chief, as Vertex AI and Kubeflow
# name one, is a worker that comes first.
_JOBS = ("chief", "worker")
_EXAMPLE = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Cluster:
    """The machines that train together.

    Attributes:
        count: of the machines.
        index: of this one, from 0; the chief, where there is one, has 0.
    """

    count: int = 1
    index: int = 0


def read_cluster(required: bool = False) -> Cluster:
    """The cluster of TF_CONFIG: this machine alone where that is not set or lists none.

    Args:
        required: whether TF_CONFIG has to be there.

    Raises:
        UserError: TF_CONFIG is missing or malformed, it lists machines that don't train, or this machine is
            none of those it lists.
    """
    text = os.environ.get("TF_CONFIG", "")
    if required and not text:
        raise UserError(f"--strategy=multi_worker needs TF_CONFIG in the environment, such as {_EXAMPLE}")
    try:
        config = json.loads(text or "{}")
        sizes = {job: _count(machines) for job, machines in config.get("cluster", {}).items()}
        job, index = (config["task"]["type"], int(config["task"]["index"])) if sizes else ("", 0)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"TF_CONFIG={text} is malformed; use such as {_EXAMPLE}") from None
    if not sizes:
        return Cluster()
    idle = sorted(sizes.keys() - set(_JOBS))
    if idle:
        raise UserError(f"TF_CONFIG's cluster has a job {idle[0]}; use {' and '.join(_JOBS)} alone")
    if not 0 <= index < sizes.get(job, 0):
        raise UserError(f"TF_CONFIG's task {job} {index} is not in its cluster; use one that it lists")
    before = sizes.get("chief", 0) if job == "worker" else 0
    return Cluster(sum(sizes.values()), before + index)


def _count(machines: Any) -> int:
    """How many machines a job lists, as ["host:port"] or, as TensorFlow allows, {"0": "host:port"}."""
    if not isinstance(machines, list | dict):
        raise TypeError
    return len(machines)
