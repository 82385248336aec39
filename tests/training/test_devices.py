"""What the environment says of machines, and which strategy follows."""

import json
from types import SimpleNamespace

import keras
import pytest
import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.training import TrainConfig
from deepfake_tfdata.training.cluster import Cluster, read_cluster
from deepfake_tfdata.training.devices import select_precision, select_strategy
from deepfake_tfdata.training.options import StepOptions
from deepfake_tfdata.training.run import _check_devices

CHIEF_AND_TWO = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}


def tf_config(cluster, job="worker", index=0):
    # Vertex AI adds keys of its own.
    return json.dumps({"cluster": cluster, "task": {"type": job, "index": index}, "environment": "cloud"})


@pytest.mark.parametrize(
    ("config", "cluster"),
    [
        ("", Cluster(1, 0)),
        ("{}", Cluster(1, 0)),
        (tf_config({}), Cluster(1, 0)),
        (tf_config({"worker": ["a:1", "b:1"]}, index=1), Cluster(2, 1)),
        (tf_config({"worker": {"0": "a:1", "1": "b:1"}}), Cluster(2, 0)),
        (tf_config(CHIEF_AND_TWO, "chief"), Cluster(3, 0)),
        (tf_config(CHIEF_AND_TWO, "worker", 0), Cluster(3, 1)),
        (tf_config(CHIEF_AND_TWO, "worker", "1"), Cluster(3, 2)),
        (tf_config({"chief": ["a:1"]}, "chief"), Cluster(1, 0)),
    ],
)
def test_the_machines_are_those_of_tf_config(config, cluster, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    assert read_cluster() == cluster


@pytest.mark.parametrize("name", ["auto", "multi_worker"])
def test_a_chief_alone_trains_as_a_single_machine(name, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tf_config({"chief": ["localhost:2222"]}, "chief"))
    strategy = select_strategy(name)
    assert isinstance(strategy, tf.distribute.OneDeviceStrategy)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("two workers", "TF_CONFIG=two workers is malformed; use such as {"),
        ("[]", "malformed"),
        ('{"cluster": []}', "malformed"),
        (tf_config({"worker": "a:1"}), "malformed"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', "malformed"),
        (tf_config({"worker": ["a:1"]}, index="first"), "malformed"),
        (tf_config({**CHIEF_AND_TWO, "evaluator": ["d:1"]}), "job evaluator; use chief and worker alone"),
        (tf_config({**CHIEF_AND_TWO, "ps": ["d:1"]}), "job ps; "),
        (tf_config(CHIEF_AND_TWO, "worker", 2), "task worker 2 is not in its cluster"),
        (tf_config(CHIEF_AND_TWO, "worker", -1), "task worker -1 is not in its cluster"),
        (tf_config(CHIEF_AND_TWO, "evaluator"), "task evaluator 0 is not in its cluster"),
    ],
)
def test_a_mistake_in_tf_config_gets_one_line(config, message, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(UserError) as error:
        select_strategy("auto")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_several_workers_need_tf_config(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(UserError, match="--strategy=multi_worker needs TF_CONFIG"):
        select_strategy("multi_worker")


@pytest.fixture
def restored_policy():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [
        ([], "float32"),
        ([(8, 0)], "mixed_bfloat16"),
        ([(7, 5)], "mixed_float16"),
        ([(9, 0), (7, 0)], "mixed_float16"),
        ([(9, 0), None], "mixed_float16"),  # one that doesn't say
    ],
)
def test_the_precision_goes_by_the_oldest_gpu_unless_it_is_told(
    capabilities, precision, monkeypatch, restored_policy
):
    details = [{"compute_capability": each} if each else {} for each in capabilities]
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind: details if kind == "GPU" else ["CPU"]
    )
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: gpu)
    assert select_precision("auto", None) == keras.config.dtype_policy().name == precision
    assert select_precision("mixed_float16", None) == keras.config.dtype_policy().name == "mixed_float16"


def test_tpus_multiply_in_bfloat16(monkeypatch, restored_policy):
    monkeypatch.setattr(tf.distribute, "TPUStrategy", SimpleNamespace)
    assert select_precision("auto", SimpleNamespace()) == "mixed_bfloat16"


def test_what_is_compiled_may_not_wait_for_other_devices():
    devices = [SimpleNamespace(num_replicas_in_sync=count) for count in (1, 2)]
    shards = SimpleNamespace(num_clips=64)
    synchronized = TrainConfig(workdir="run", step=StepOptions(jit_compile=True))
    apart = TrainConfig(workdir="run", step=StepOptions(jit_compile=True, sync_batch_norm=False))
    _check_devices(synchronized, devices[0], shards)
    _check_devices(apart, devices[1], shards)
    with pytest.raises(UserError, match=r"--jit_compile .* 2 devices.*; add --sync_batch_norm=false"):
        _check_devices(synchronized, devices[1], shards)
