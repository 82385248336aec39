"""Rows are measured in turn, in processes of their own, and one that fails leaves the others alone."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from deepfake_tfdata.model.assembly import assemble_detector
from deepfake_tfdata.model.backbones import build_backbone
from tests.tools.torch_peer import TORCH_PYTHON
from tools.benchmark_step import __main__ as benchmark
from tools.benchmark_step import resize_error, roofline, rounds
from tools.benchmark_step.rows import OURS, ROWS, Row
from tools.benchmark_step.table import bound, resize_table, rows_table, scaling_table

SMALL = ["--backbone=meso4", "--num_frames=4", "--frame_size=32", "--batch_size=2", "--rounds=1"]
# What a process of our own says in the end.
FACTS = {"gflop": 4.0, "gbyte": 1.0, "peak_gflops": 8.0, "peak_gbytes": 4.0, "peak_memory_gib": 0.5}
# A row's process without a model: every step "takes" what it was made for.
FAKE = """
import json, sys, time
options = json.loads(sys.argv[1])
log, name = open(options["log"], "a", buffering=1), options["row"]
print("a library's greeting")
print(json.dumps({"ready": True}), flush=True)
for count, line in enumerate(sys.stdin):
    log.write(f"{name} {line}")
    if name == "dies" and count == 2:
        sys.exit("out of memory")
    step, *times = line.split()
    if step == "finish":
        print(json.dumps({"peak_memory_gib": 1.0}), flush=True)
        break
    seconds = [2.0 if step == "train" else 1.0] if count > 1 else [9.0]
    print(json.dumps({"seconds": seconds * int(times[0])}), flush=True)
"""


@pytest.fixture
def fake_rows(tmp_path, monkeypatch):
    (tmp_path / "fake.py").write_text(FAKE)
    monkeypatch.setattr(rounds, "ROOT", tmp_path)  # where modules are looked for
    return [Row(name, name, "fake") for name in ("a", "dies", "b")]


def test_rows_take_turns_and_a_failed_one_says_why(fake_rows, tmp_path):
    options = {"rounds": 2, "steps": 1, "log": tmp_path / "log"}
    absent = Row("absent", "absent", "fake", ("no_such_module",))
    results = rounds.measure_rows([*fake_rows, absent], options, Path(sys.executable))
    assert list(results) == ["a", "dies", "b", "absent"]
    assert results["a"] == results["b"]
    assert results["a"]["forward_first_s"] == results["a"]["train_first_s"] == 9
    assert (results["a"]["forward_s"], results["a"]["train_s"]) == (1, 2)
    assert results["dies"] == {"skipped": "exit status 1: out of memory"}
    assert results["absent"]["skipped"].startswith("no no_such_module in ")
    orders = (tmp_path / "log").read_text().splitlines()
    # First steps one after another; then each round's forward passes side by side, then its training steps.
    assert orders[:6] == [
        f"{name} {phase} 1" for name in ("a", "dies", "b") for phase in ("forward", "train")
    ]
    assert orders[6:11] == ["a forward 1", "dies forward 1", "b forward 1", "a train 1", "b train 1"]


def test_the_table_has_ratios_to_ours():
    def figures(scale):
        return {f"{phase}{end}": scale for phase in rounds.PHASES for end in ("_s", "_first_s")}

    results = {
        OURS: {**figures(2.0), **FACTS},
        "torch_eager": {**figures(3.0), "peak_memory_gib": 1.0},
        "torch_compiled": {"skipped": "no torch in python"},
    }
    table = rows_table(results)
    assert "| this project | 2 | 2 | 1.00 | 2 | 2 | 1.00 | 0.5 |" in table
    assert "| timm in PyTorch, eager, channels last | 3 | 3 | 1.50 | 3 | 3 | 1.50 | 1 |" in table
    assert "| timm in PyTorch, torch.compile | no torch in python |" in table
    assert len({line.count(" | ") for line in table.splitlines()}) == 1


def test_what_bounds_a_step():
    assert bound(FACTS, "forward") == {"products": 0.5, "bytes": 0.25}
    assert bound(FACTS, "train") == {"products": 1.5, "bytes": 0.75}
    result = {"forward_s": 1.0, "train_s": 2.0, "batch_size": 2, "num_frames": 8, "frame_size": 32, **FACTS}
    line = scaling_table({"x": result, "y": {"skipped": "exit status -9: no memory"}}).splitlines()[2]
    assert line == "| 2 | 8 | 32 | 1 | 16 | 50% | 0.5 | products | 2 | 8 | 75% | 1.5 | products | 0.5 |"


def test_bytes_are_those_of_every_layer_of_every_frame():
    images = keras.Input((8, 8, 3), dtype="uint8", name="images")
    convolved = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="c")(images)
    backbone = keras.Model(images, keras.layers.GlobalAveragePooling2D()(convolved), name="backbone")
    detector = assemble_detector(backbone, "control", 5, lstm_units=2)
    # In and out of the convolution, then of the pooling: 5 frames of them, of 4 bytes each.
    of_backbone = 5 * (8 * 8 * 3 + 2 * 4 * 4 * 4 + 4)
    rest = [layer for layer in detector.layers if layer is not backbone]
    of_rest = sum(map(roofline._elements, rest))
    assert roofline.count_bytes(detector) == 4 * (of_backbone + of_rest)
    assert 0 < of_rest < of_backbone


def test_copies_too_short_to_be_timed_are_made_in_a_row(monkeypatch):
    made = []
    monkeypatch.setattr(keras.ops, "negative", lambda array: made.append(0) or array)

    def fast_device(compute):
        """A copy takes 0.1 ms, and to ask for one and to wait for it 1 ms."""
        made.clear()
        compute()
        return 1e-3 + 1e-4 * len(made)

    monkeypatch.setattr(roofline, "_median_seconds", fast_device)
    assert roofline.memory_gbytes(1000) == pytest.approx(2 * 4 * 1000 / 1e-4 / 1e9, rel=0.02)


def test_scaling_grows_one_thing_at_a_time_and_filling_stops_where_it_is_full(monkeypatch, capsys):
    def measured(rows, options, python):
        if options["batch_size"] > 8:
            return {OURS: {"skipped": "exit status 1: RESOURCE_EXHAUSTED"}}
        return {OURS: {"forward_s": 0.5, "train_s": 0.5, **FACTS}}

    monkeypatch.setattr(benchmark, "measure_rows", measured)
    benchmark.main([*SMALL, "--scaling"])
    _, _, *lines = capsys.readouterr().out.splitlines()
    sizes = [tuple(int(cell) for cell in line.split("|")[1:4]) for line in lines]
    assert sizes == [(2, 4, 32), (4, 4, 32), (8, 4, 32), (2, 8, 32), (2, 16, 32), (2, 4, 64), (2, 4, 128)]
    benchmark.main([*SMALL, "--fill"])
    *_, last, full = capsys.readouterr().out.splitlines()
    assert last.startswith("| 8 |")
    assert full.startswith("| batch_size 16 | exit status 1: RESOURCE_EXHAUSTED |")
    benchmark.main([*SMALL, "--fill", "--largest_batch=4"])
    assert capsys.readouterr().out.splitlines()[-1].startswith("| 4 |")


def test_without_ours_the_exit_status_is_1_and_all_is_written(monkeypatch, tmp_path):
    monkeypatch.setattr(benchmark, "measure_rows", lambda *arguments: {OURS: {"skipped": "exit status 1: x"}})
    with pytest.raises(SystemExit):
        benchmark.main([*SMALL, f"--output={tmp_path / 'a.json'}"])
    assert json.loads((tmp_path / "a.json").read_text())["rows"] == {OURS: {"skipped": "exit status 1: x"}}
    with pytest.raises(SystemExit):
        benchmark.parse_arguments(["--rows=folded,nothing"])


def test_rounding_keeps_the_bits_of_its_format():
    values = np.array([1.0, 1 + 2**-11, 1 + 3 * 2**-11, 1 + 2**-10, -255.0, 1 / 3], np.float32)
    ten = resize_error.rounded(values, 10)
    np.testing.assert_array_equal(ten[:5], np.float32([1, 1, 1 + 2**-9, 1 + 2**-10, -255]))
    seven = keras.ops.convert_to_numpy(keras.ops.cast(values, "bfloat16").numpy().astype(np.float32))
    np.testing.assert_array_equal(resize_error.rounded(values, 7), seven)


def test_fewer_bits_cost_the_resize_more():
    exact = resize_error.measured(32, "float32", crop=48)
    assert exact["largest"] <= 1 and exact["changed"] < 1e-3  # a value that lies at a half may go either way
    tf32, bfloat16 = (
        resize_error.emulated(32, bits, crop=48) for bits in resize_error.FRACTION_BITS.values()
    )
    assert 0 < tf32["largest"] < 0.5 < bfloat16["largest"] < 8
    assert tf32["rms"] < bfloat16["rms"] / 4
    text = resize_table({"device": "cpu", "emulated": {"tf32, 32 pixels": tf32}, "measured": {"x": exact}})
    assert "| tf32, 32 pixels | emulated | " in text and "| x | on cpu | " in text


@pytest.mark.slow
def test_our_row_is_the_products_own_step(tmp_path):
    benchmark.main([*SMALL, "--rows=folded", f"--output={tmp_path / 'a.json'}"])
    (found,) = json.loads((tmp_path / "a.json").read_text())["rows"].values()
    detector = assemble_detector(build_backbone("meso4", 32, "none"), "attention", 4, native=True)
    assert found["parameters"] == detector.count_params()
    assert found["backend"] == "tensorflow"
    figures = [name for name, value in found.items() if isinstance(value, float)]
    assert {f"{phase}{end}" for phase in rounds.PHASES for end in ("_s", "_first_s")} <= set(figures)
    assert all(found[name] > 0 for name in figures)
    scaling_table({"a": {**found, "batch_size": 2, "num_frames": 4, "frame_size": 32}})


NO_TENSORFLOW = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "tensorflow":
            raise ImportError("TensorFlow is not here")
sys.meta_path.insert(0, Blocked())
import json, io
from tools.benchmark_step import keras_steps
from tools.benchmark_step.__main__ import parse_arguments
options = {**vars(parse_arguments(sys.argv[1:])), "row": "folded"}
sys.argv[1:] = [json.dumps(options, default=str)]
sys.stdin = io.StringIO("forward 1\\ntrain 1\\nfinish\\n")
keras_steps.main()
"""


@pytest.mark.slow
def test_on_jax_it_needs_no_tensorflow():
    pytest.importorskip("jax")
    command = [sys.executable, "-c", NO_TENSORFLOW, *SMALL, "--precision=tf32"]
    environment = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PATH": "/usr/bin:/bin"}
    environment["XLA_FLAGS"] = "--xla_backend_optimization_level=0"  # compiling costs more than running here
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=rounds.ROOT, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    *_, forward, train, facts = map(json.loads, done.stdout.splitlines())
    assert forward["seconds"] and train["seconds"]
    assert facts["backend"] == "jax"


@pytest.mark.slow
@pytest.mark.skipif(TORCH_PYTHON is None, reason="no PyTorch with timm")
def test_the_row_in_pytorch_is_the_same_detector(capsys):
    # Eager: compiling takes a minute.
    options = vars(benchmark.parse_arguments([*SMALL[1:], "--backbone=efficientnet_b0"]))
    found = rounds.measure_rows([ROWS["torch_eager"]], options, TORCH_PYTHON)["torch_eager"]
    detector = assemble_detector(build_backbone("efficientnet_b0", 32, "none"), "attention", 4)
    # The statistics of BatchNormalization and of the input are no parameters there; LSTMs have a bias more.
    trainable = sum(int(np.prod(weight.shape)) for weight in detector.trainable_weights)
    assert found["parameters"] == trainable + 2 * 4 * 128
    assert found["forward_s"] > 0 and found["train_s"] > 0
    options["backbone"] = "meso4"
    refused = rounds.measure_rows([ROWS["torch_eager"]], options, TORCH_PYTHON)["torch_eager"]
    assert refused == {"skipped": "exit status 1: timm has no meso4"}
